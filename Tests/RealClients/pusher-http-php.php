<?php
// pusher-http-php; run by sdk.cjs. PUSHER_HTTP_PHP names the library, PHP_AUTOLOAD what loads Guzzle and PSR's log.

require getenv('PHP_AUTOLOAD');
spl_autoload_register(function ($class) {
    if (str_starts_with($class, 'Pusher\\')) require getenv('PUSHER_HTTP_PHP') . '/src/' . substr($class, 7) . '.php';
});

$sdk = new Pusher\Pusher(getenv('PUSHER_APP_KEY'), getenv('PUSHER_APP_SECRET'), getenv('PUSHER_APP_ID'), [
    'host' => getenv('BROKER_HOST'), 'port' => (int) getenv('BROKER_PORT'), 'scheme' => 'http', 'useTLS' => false,
    'encryption_master_key_base64' => getenv('ENCRYPTION_KEY'),
]);

function call(string $name, array $argument = []) {
    $context = stream_context_create(['http' => [
        'method' => 'POST', 'header' => 'Content-Type: application/json', 'content' => json_encode((object) $argument),
        'ignore_errors' => true,
    ]]);
    $text = file_get_contents(getenv('LISTENER') . "/control/$name", false, $context);
    if (!str_contains($http_response_header[0], '200')) throw new Exception($text);
    return json_decode($text);
}

function equal($actual, $expected): void {
    [$a, $b] = [json_encode($actual), json_encode($expected)];
    if ($a !== $b) throw new Exception("$a, not $b");
}

function throws(callable $body, int $code): void {
    try {
        $body();
    } catch (Pusher\ApiErrorException $error) {
        equal($error->getCode(), $code);
        return;
    }
    throw new Exception("no error $code");
}

/** A webhook's headers in the form that the library reads them. */
function headers(object $hook): array {
    return [
        'X-Pusher-Key' => $hook->headers->{'x-pusher-key'},
        'X-Pusher-Signature' => $hook->headers->{'x-pusher-signature'},
    ];
}

function check(string $name, callable $body): void {
    try {
        $body();
        call('report', ['name' => $name, 'outcome' => 'ok']);
    } catch (Throwable $error) {
        $detail = substr(str_replace("\n", ' ', $error->getMessage()), 0, 250);
        call('report', ['name' => $name, 'outcome' => 'FAIL', 'detail' => $detail]);
    }
}

$ada = call('connect');
$bob = call('connect');

check('P141 getChannels when there are none', function () use ($sdk) {
    equal($sdk->getChannels()->channels, []);
    equal($sdk->get('/channels')->channels, new stdClass());
});
check('authorizeChannel: private, encrypted and presence are accepted', function () use ($sdk, $ada, $bob) {
    foreach ([[$ada, 'ada'], [$bob, 'bob']] as [$one, $user]) {
        $auth = [
            'orders' => '{}',
            'private-ops' => $sdk->authorizeChannel('private-ops', $one->socket_id),
            'private-encrypted-x' => $sdk->authorizeChannel('private-encrypted-x', $one->socket_id),
            'presence-room' =>
                $sdk->authorizePresenceChannel('presence-room', $one->socket_id, $user, ['name' => $user]),
        ];
        foreach ($auth as $channel => $json) {
            $request = json_decode($json, true);
            unset($request['shared_secret']);
            $frame = call('subscribe', ['client' => $one->client, 'channel' => $channel] + $request);
            equal($frame->event, 'pusher_internal:subscription_succeeded');
        }
    }
});
check('P126 trigger: delivered unchanged', function () use ($sdk, $ada) {
    $data = ['text' => 'schön ☃ "quoted"', 'n' => [1, null]];
    equal($sdk->trigger('orders', 'e', $data), new stdClass());
    $frame = call('next', ['client' => $ada->client, 'event' => 'e']);
    equal([$frame->channel, json_decode($frame->data, true)], ['orders', $data]);
});
check('P127 trigger to many, without the named socket', function () use ($sdk, $ada, $bob) {
    $sdk->trigger(['orders', 'private-ops'], 'most', '1', ['socket_id' => $ada->socket_id]);
    $sdk->trigger('private-ops', 'most', '2');
    call('next', ['client' => $bob->client, 'event' => 'most']);
    equal(call('next', ['client' => $bob->client, 'event' => 'most'])->channel, 'private-ops');
    equal(call('next', ['client' => $ada->client, 'event' => 'most'])->data, '"2"');
});
check('P136 trigger with info', function () use ($sdk) {
    $result = $sdk->trigger(['presence-room', 'orders'], 'e', 1, ['info' => 'user_count,subscription_count']);
    equal($result->channels, [
        'presence-room' => ['user_count' => 2, 'subscription_count' => 2], 'orders' => ['subscription_count' => 2],
    ]);
});
check('P138 triggerBatch, with and without info', function () use ($sdk, $bob) {
    $batch = [
        ['channel' => 'orders', 'name' => 'one', 'data' => 'x'],
        ['channel' => 'private-ops', 'name' => 'two', 'data' => ['a' => 1]],
    ];
    equal($sdk->triggerBatch($batch), new stdClass());
    call('next', ['client' => $bob->client, 'event' => 'one']);
    equal(call('next', ['client' => $bob->client, 'event' => 'two'])->data, '{"a":1}');
    $batch[] = ['channel' => 'presence-room', 'name' => 'three', 'data' => '1', 'info' => 'user_count'];
    equal($sdk->triggerBatch($batch)->batch, [new stdClass(), new stdClass(), ['user_count' => 2]]);
});
check('P59 an encrypted event travels as it was made', function () use ($sdk, $bob) {
    $sdk->trigger('private-encrypted-x', 'secret', ['a' => 1]);
    $data = (array) json_decode(call('next', ['client' => $bob->client, 'event' => 'secret'])->data);
    ksort($data);
    equal(array_keys($data), ['ciphertext', 'nonce']);
});
check('getChannels, getChannelInfo, getPresenceUsers', function () use ($sdk) {
    $rooms = $sdk->getChannels(['filter_by_prefix' => 'presence-', 'info' => 'user_count'])->channels;
    equal($rooms, ['presence-room' => ['user_count' => 2]]);
    equal($sdk->getChannels()->channels['orders'], new stdClass());
    equal($sdk->getChannelInfo('presence-room', ['info' => 'user_count,subscription_count']),
        ['occupied' => true, 'user_count' => 2, 'subscription_count' => 2]);
    equal($sdk->getChannelInfo('nobody'), ['occupied' => false]);
    $users = array_map(fn ($user) => $user->id, $sdk->getPresenceUsers('presence-room')->users);
    sort($users);
    equal($users, ['ada', 'bob']);
});
check('info given as an array: joined by the signer, split by Guzzle', function () use ($sdk) {
    equal($sdk->getChannelInfo('presence-room', ['info' => ['user_count', 'subscription_count']])->user_count, 2);
});
check('P130 too much data: ApiErrorException 413', function () use ($sdk) {
    throws(fn () => $sdk->trigger('orders', 'e', str_repeat('x', 10241), [], true), 413);
});
check('P145 P147 user counts of a channel without users: ApiErrorException 400', function () use ($sdk) {
    throws(fn () => $sdk->getChannelInfo('orders', ['info' => 'user_count']), 400);
    throws(fn () => $sdk->getPresenceUsers('orders'), 400);
});
check('a wrong secret: ApiErrorException 401', function () {
    $thief = new Pusher\Pusher(getenv('PUSHER_APP_KEY'), str_repeat('0', 20), getenv('PUSHER_APP_ID'), [
        'host' => getenv('BROKER_HOST'), 'port' => (int) getenv('BROKER_PORT'), 'scheme' => 'http', 'useTLS' => false]);
    throws(fn () => $thief->trigger('orders', 'e', 1), 401);
});
check('authenticateUser is accepted; sendToUser arrives', function () use ($sdk, $ada) {
    $user = ['id' => 'u-17', 'user_info' => ['name' => 'Ada']];
    $request = json_decode($sdk->authenticateUser($ada->socket_id, $user), true);
    $frame = call('signin', ['client' => $ada->client] + $request);
    equal([$frame->event, $frame->data->user_data], ['pusher:signin_success', $request['user_data']]);
    $sdk->sendToUser('u-17', 'note', ['hello' => 'wörld']);
    equal(call('next', ['client' => $ada->client, 'event' => 'note'])->channel, '#server-to-user-u-17');
});
check('P148 P103 terminateUserConnections', function () use ($sdk, $ada) {
    equal($sdk->terminateUserConnections('u-17'), new stdClass());
    equal(call('next', ['client' => $ada->client, 'event' => 'close'])->close, 4009);
});
check('P150 webhook: both vectors are valid, a changed one is not', function () use ($sdk) {
    foreach (json_decode(getenv('HOOK_VECTORS')) as [$body, $signature]) {
        $headers = ['X-Pusher-Key' => getenv('PUSHER_APP_KEY'), 'X-Pusher-Signature' => $signature];
        equal(count($sdk->webhook($headers, $body)->get_events()), 1);
        try {
            $sdk->webhook($headers, "$body ");
        } catch (Pusher\PusherException) {
            continue;
        }
        throw new Exception('the changed one was taken');
    }
});
check('P150 webhook: one of the broker is valid', function () use ($sdk) {
    $hook = call('hook', ['name' => 'channel_occupied']);
    $headers = headers($hook);
    equal($sdk->webhook($headers, $hook->body)->get_events()[0]->name, 'channel_occupied');
});
check('P154 webhook: a client event, its data a string, its user named', function () use ($sdk, $bob) {
    $typing = ['channel' => 'presence-room', 'event' => 'client-typing', 'data' => ['on' => true]];
    call('say', ['client' => $bob->client] + $typing);
    $hook = call('hook', ['name' => 'client_event']);
    $headers = headers($hook);
    $event = $sdk->webhook($headers, $hook->body)->get_events()[0];
    equal([$event->data, $event->user_id, $event->socket_id], ['{"on":true}', 'bob', $bob->socket_id]);
});
