# pusher-http-ruby; run by sdk.cjs with the library, pusher-signature, httpclient and multi_json on the load path.

require 'json'
require 'net/http'
require 'base64'
require 'pusher'

SDK = Pusher::Client.new(
  app_id: ENV['PUSHER_APP_ID'], key: ENV['PUSHER_APP_KEY'], secret: ENV['PUSHER_APP_SECRET'],
  use_tls: false, host: ENV['BROKER_HOST'], port: ENV['BROKER_PORT'].to_i,
  encryption_master_key_base64: ENV['ENCRYPTION_KEY']
)

# It would warn of the webhooks that are wrong on purpose.
Pusher.logger.level = Logger::ERROR

def call(name, **argument)
  address = URI("#{ENV['LISTENER']}/control/#{name}")
  response = Net::HTTP.post(address, argument.to_json, 'Content-Type' => 'application/json')
  raise response.body unless response.code == '200'
  JSON.parse(response.body.force_encoding('UTF-8'))
end

def equal(actual, expected)
  raise "#{actual.inspect}, not #{expected.inspect}" unless actual == expected
end

def check(name)
  yield
  call('report', name: name, outcome: 'ok')
rescue StandardError => e
  call('report', name: name, outcome: 'FAIL', detail: "#{e.class}: #{e.message}".tr("\n", ' ')[0, 250])
end

ada, bob = call('connect'), call('connect')
following = ->(client, event) { call('next', client: client['client'], event: event) }

check 'P141 channels when there are none' do
  equal SDK.channels, { channels: {} }
end
check 'authenticate: private, encrypted and presence are accepted' do
  { 'ada' => ada, 'bob' => bob }.each do |user, client|
    %w[orders private-ops private-encrypted-x presence-room].each do |channel|
      member = channel.start_with?('presence-') ? { user_id: user, user_info: { name: user } } : nil
      auth = channel == 'orders' ? {} : SDK.authenticate(channel, client['socket_id'], member)
      auth.delete(:shared_secret)
      frame = call('subscribe', client: client['client'], channel: channel, **auth)
      equal frame['event'], 'pusher_internal:subscription_succeeded'
    end
  end
end
check 'P126 trigger: delivered unchanged' do
  data = { 'text' => 'schön ☃', 'n' => [1, nil] }
  SDK.trigger('orders', 'e', data)
  equal JSON.parse(following.(ada, 'e')['data']), data
end
check 'P127 trigger to many, without the named socket' do
  SDK.trigger(%w[orders private-ops], 'most', '1', socket_id: ada['socket_id'])
  SDK.trigger('private-ops', 'most', '2')
  following.(bob, 'most')
  equal following.(bob, 'most')['channel'], 'private-ops'
  equal following.(ada, 'most')['data'], '2'
end
check 'P136 trigger with info' do
  equal SDK.trigger(%w[presence-room orders], 'e', '1', info: 'user_count,subscription_count'),
        { channels: { 'presence-room' => { 'user_count' => 2, 'subscription_count' => 2 },
                      'orders' => { 'subscription_count' => 2 } } }
end
check 'P138 trigger_batch, with and without info' do
  batch = [{ channel: 'orders', name: 'one', data: 'x' }, { channel: 'private-ops', name: 'two', data: { a: 1 } }]
  equal SDK.trigger_batch(batch), {}
  following.(bob, 'one')
  equal following.(bob, 'two')['data'], '{"a":1}'
  equal SDK.trigger_batch(batch + [{ channel: 'presence-room', name: 'three', data: '1', info: 'user_count' }]),
        { batch: [{}, {}, { 'user_count' => 2 }] }
end
check 'P59 an encrypted event travels as it was made' do
  SDK.trigger('private-encrypted-x', 'secret', { a: 1 })
  equal JSON.parse(following.(bob, 'secret')['data']).keys.sort, %w[ciphertext nonce]
end
check 'channels, channel_info, channel_users' do
  equal SDK.channels(filter_by_prefix: 'presence-', info: 'user_count'),
        { channels: { 'presence-room' => { 'user_count' => 2 } } }
  equal SDK.channel_info('presence-room', info: 'user_count,subscription_count'),
        { occupied: true, user_count: 2, subscription_count: 2 }
  equal SDK.channel_info('nobody'), { occupied: false }
  equal SDK.channel_users('presence-room')[:users].map { |user| user['id'] }.sort, %w[ada bob]
end
check 'P145 an attribute the channel does not have: Pusher::Error' do
  SDK.channel_info('orders', info: 'user_count')
  raise 'no error'
rescue Pusher::Error => e
  equal e.class, Pusher::Error # which is what 400 is; 401 would be an AuthenticationError
end
check 'authenticate_user is accepted; a user event arrives' do
  request = SDK.authenticate_user(ada['socket_id'], { id: 'u-17', user_info: { name: 'Ada' } })
  equal call('signin', client: ada['client'], **request)['event'], 'pusher:signin_success'
  SDK.trigger('#server-to-user-u-17', 'note', { hello: 'wörld' })
  equal following.(ada, 'note')['channel'], '#server-to-user-u-17'
end
check 'P150 webhook: both vectors are valid, a changed one is not' do
  JSON.parse(ENV['HOOK_VECTORS']).each do |body, signature|
    request = { key: SDK.key, signature: signature, content_type: 'application/json' }
    hook = ->(text) { SDK.webhook(request.merge(body: text)) }
    equal [hook.(body).valid?, hook.("#{body} ").valid?], [true, false]
    equal hook.(body).events.size, 1
  end
end
check 'P150 webhook: one of the broker is valid' do
  answer = call('hook', name: 'channel_occupied')
  headers = answer['headers']
  hook = SDK.webhook({ key: headers['x-pusher-key'], signature: headers['x-pusher-signature'],
                       body: answer['body'], content_type: headers['content-type'] })
  equal [hook.valid?, hook.events.first['name']], [true, 'channel_occupied']
end
