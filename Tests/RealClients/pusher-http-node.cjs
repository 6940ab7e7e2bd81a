// pusher-http-node; run by sdk.cjs.

const assert = require('node:assert/strict')
const path = require('node:path')
const Pusher = require(path.join(process.env.PUSHER_HTTP_NODE, 'lib/pusher.js'))

const { LISTENER, BROKER_HOST, BROKER_PORT, ENCRYPTION_KEY } = process.env
const { PUSHER_APP_ID, PUSHER_APP_KEY, PUSHER_APP_SECRET } = process.env
const sdk = new Pusher({
  appId: PUSHER_APP_ID, key: PUSHER_APP_KEY, secret: PUSHER_APP_SECRET, host: BROKER_HOST, port: BROKER_PORT,
  encryptionMasterKeyBase64: ENCRYPTION_KEY,
})

async function call(name, argument = {}) {
  const response = await fetch(`${LISTENER}/control/${name}`, { method: 'POST', body: JSON.stringify(argument) })
  if (!response.ok) throw new Error(await response.text())
  return response.json()
}

async function check(name, body) {
  try {
    await body()
    await call('report', { name, outcome: 'ok' })
  } catch (error) {
    const detail = String(error.body ?? error.message).replaceAll('\n', ' ').slice(0, 250)
    await call('report', { name, outcome: 'FAIL', detail })
  }
}

const answer = async (promise) => (await promise).json()
const SUCCESS = 'pusher_internal:subscription_succeeded'

async function main() {
  let ada, bob
  await check('P141 no channels: an empty object', async () => {
    assert.deepEqual(await answer(sdk.get({ path: '/channels' })), { channels: {} })
  })
  await check('authorizeChannel: private, encrypted and presence are accepted', async () => {
    ada = await call('connect')
    bob = await call('connect')
    for (const channel of ['orders', 'private-ops', 'private-encrypted-x', 'presence-room']) {
      for (const [one, user] of [[ada, 'ada'], [bob, 'bob']]) {
        const member = channel.startsWith('presence-') ? { user_id: user, user_info: { name: user } } : undefined
        const answer = channel === 'orders' ? {} : sdk.authorizeChannel(one.socket_id, channel, member)
        const { shared_secret: _, ...auth } = answer
        assert.equal((await call('subscribe', { client: one.client, channel, ...auth })).event, SUCCESS)
      }
    }
  })
  await check('P126 trigger: delivered unchanged', async () => {
    const data = { text: 'schön ☃ "quoted"', n: [1, null] }
    assert.deepEqual(await answer(sdk.trigger('orders', 'e', data)), {})
    const frame = await call('next', { client: ada.client, event: 'e' })
    assert.deepEqual([frame.channel, JSON.parse(frame.data)], ['orders', data])
  })
  await check('P127 trigger to many, without the named socket', async () => {
    await sdk.trigger(['orders', 'private-ops'], 'most', '1', { socket_id: ada.socket_id })
    await sdk.trigger('orders', 'marker', '1')
    assert.equal((await call('next', { client: bob.client, event: 'most' })).data, '1')
    assert.equal((await call('next', { client: bob.client, event: 'most' })).channel, 'private-ops')
    await call('next', { client: ada.client, event: 'marker' })
    await assert.rejects(call('next', { client: ada.client, event: 'most' }))
  })
  await check('P136 trigger with info', async () => {
    const info = 'user_count,subscription_count'
    assert.deepEqual(await answer(sdk.trigger(['presence-room', 'orders'], 'e', 1, { info })),
      { channels: { 'presence-room': { user_count: 2, subscription_count: 2 }, orders: { subscription_count: 2 } } })
  })
  await check('P138 triggerBatch, with and without info', async () => {
    const batch = [
      { channel: 'orders', name: 'one', data: 'x' },
      { channel: 'private-ops', name: 'two', data: { a: 1 } },
    ]
    assert.deepEqual(await answer(sdk.triggerBatch(structuredClone(batch))), {})
    await call('next', { client: bob.client, event: 'one' })
    assert.equal((await call('next', { client: bob.client, event: 'two' })).data, '{"a":1}')
    const counted = [...batch, { channel: 'presence-room', name: 'three', data: '1', info: 'user_count' }]
    assert.deepEqual(await answer(sdk.triggerBatch(structuredClone(counted))), { batch: [{}, {}, { user_count: 2 }] })
  })
  await check('P59 an encrypted event travels as it was made', async () => {
    await sdk.trigger('private-encrypted-x', 'secret', { a: 1 })
    const { data } = await call('next', { client: bob.client, event: 'secret' })
    assert.deepEqual(Object.keys(JSON.parse(data)).sort(), ['ciphertext', 'nonce'])
  })
  await check('get: channels, one channel, users', async () => {
    const presence = { filter_by_prefix: 'presence-', info: 'user_count' }
    assert.deepEqual(await answer(sdk.get({ path: '/channels', params: presence })),
      { channels: { 'presence-room': { user_count: 2 } } })
    const both = { info: ['user_count', 'subscription_count'] }
    assert.deepEqual(await answer(sdk.get({ path: '/channels/presence-room', params: both })),
      { occupied: true, user_count: 2, subscription_count: 2 })
    assert.deepEqual(await answer(sdk.get({ path: '/channels/nobody' })), { occupied: false })
    const { users } = await answer(sdk.get({ path: '/channels/presence-room/users' }))
    assert.deepEqual(users.map((user) => user.id).sort(), ['ada', 'bob'])
  })
  await check('P130 too much data: a RequestError with 413', async () => {
    await assert.rejects(sdk.trigger('orders', 'e', 'x'.repeat(10241)), { status: 413 })
  })
  await check('P143 info=user_count without a presence filter: 400', async () => {
    await assert.rejects(sdk.get({ path: '/channels', params: { info: 'user_count' } }), { status: 400 })
  })
  await check('authenticateUser is accepted; sendToUser arrives', async () => {
    const { auth, user_data } = sdk.authenticateUser(ada.socket_id, { id: 'u-17', user_info: { name: 'Ada' } })
    const frame = await call('signin', { client: ada.client, auth, user_data })
    assert.deepEqual([frame.event, frame.data.user_data], ['pusher:signin_success', user_data])
    await sdk.sendToUser('u-17', 'note', { hello: 'wörld' })
    const note = await call('next', { client: ada.client, event: 'note' })
    assert.deepEqual([note.channel, JSON.parse(note.data)], ['#server-to-user-u-17', { hello: 'wörld' }])
  })
  await check('P148 P103 terminateUserConnections', async () => {
    assert.deepEqual(await answer(sdk.terminateUserConnections('u-17')), {})
    assert.equal((await call('next', { client: ada.client, event: 'close' })).close, 4009)
  })
  await check('P150 webhook: both vectors are valid, a changed one is not', async () => {
    for (const [body, signature] of JSON.parse(process.env.HOOK_VECTORS)) {
      const hook = (rawBody) => sdk.webhook({
        headers: {
          'x-pusher-key': PUSHER_APP_KEY, 'x-pusher-signature': signature, 'content-type': 'application/json',
        },
        rawBody,
      })
      assert.ok(hook(body).isValid())
      assert.ok(!hook(`${body} `).isValid())
    }
  })
  await check('P150 webhook: one of the broker is valid', async () => {
    const { headers, body } = await call('hook', { name: 'channel_occupied' })
    const hook = sdk.webhook({ headers, rawBody: body })
    assert.ok(hook.isValid())
    assert.ok(hook.getEvents().some((event) => event.name === 'channel_occupied'))
  })
  await check('P154 webhook: a client event, its data a string, its user named', async () => {
    await call('say', { client: bob.client, channel: 'presence-room', event: 'client-typing', data: { on: true } })
    const { headers, body } = await call('hook', { name: 'client_event' })
    const hook = sdk.webhook({ headers, rawBody: body })
    assert.ok(hook.isValid())
    assert.deepEqual(hook.getEvents().find((event) => event.name === 'client_event'), {
      name: 'client_event', channel: 'presence-room', event: 'client-typing', data: '{"on":true}',
      socket_id: bob.socket_id, user_id: 'bob',
    })
  })
}

main()
