// pusher-js against the broker; behind checks.js in the same scope.
//
// Context: Pusher, url (of the application server), key, port, canDecrypt.

/** A connected client of a user. */
async function connect(t, { user = 'ada', watchlist = '', key = t.key, port = t.port, ...options } = {}) {
  const headers = { 'X-User': user, 'X-Watchlist': watchlist }
  const client = new t.Pusher(key, {
    cluster: '', wsHost: '127.0.0.1', wsPort: port, forceTLS: false, enabledTransports: ['ws'],
    channelAuthorization: { endpoint: `${t.url}/pusher/auth`, headers },
    userAuthentication: { endpoint: `${t.url}/pusher/user-auth`, headers },
    ...options,
  })
  t.later(() => client.disconnect())
  client.states = []
  client.connection.bind('state_change', ({ current }) => client.states.push({ state: current, at: Date.now() }))
  client.errors = record(client.connection, 'error')
  if (options.waits === false) return client
  await until(() => client.connection.state === 'connected', () => `a connection: ${client.connection.state}`)
  return client
}

/** A confirmed subscription. */
async function subscribe(client, name) {
  const channel = client.subscribe(name)
  const refused = record(channel, 'pusher:subscription_error')
  await until(() => {
    if (refused.length) throw new Error(`refused: ${JSON.stringify(refused[0].data)}`)
    return channel.subscribed
  }, `the confirmation of ${name}`)
  return channel
}

function trigger(t, channels, event, data) {
  return control(t.url, 'trigger', { channels, event, data })
}

async function signIn(client) {
  client.signin()
  await until(() => client.user.user_data, () => `sign-in; errors: ${JSON.stringify(client.errors)}`)
}

const pusherChecks = [
  ['P1 connects and is told a socket id', async (t) => {
    const client = await connect(t)
    assert(/^\d+\.\d+$/.test(client.connection.socket_id), client.connection.socket_id)
  }],
  ['P38 P126 a public channel: confirmed, published data arrives as it was', async (t) => {
    const client = await connect(t)
    const channel = await subscribe(client, 'orders')
    const events = record(channel, 'shipped')
    const data = { text: 'schön ☃ 😀 "quoted" \\ \n', n: [1, 2.5, null, { deep: true }] }
    await trigger(t, 'orders', 'shipped', data)
    await until(() => events.length, 'the event')
    equal(events[0].data, data)
    await trigger(t, 'orders', 'shipped', 'not JSON')
    await until(() => events.length > 1, 'the second event')
    equal(events[1].data, 'not JSON')
  }],
  ['P139 a hundred events arrive in their order', async (t) => {
    const client = await connect(t)
    const events = record(await subscribe(client, 'ordered'), 'n')
    for (let n = 0; n < 100; n += 1) await trigger(t, 'ordered', 'n', n)
    await until(() => events.length === 100, 'all')
    equal(events.map((event) => event.data), [...Array(100).keys()])
  }],
  ['P40 ten subscriptions before the connection is up are all confirmed', async (t) => {
    const client = await connect(t, { waits: false })
    const channels = [...Array(10).keys()].map((n) => client.subscribe(n % 2 ? `private-burst-${n}` : `burst-${n}`))
    await until(() => channels.every((channel) => channel.subscribed), 'all confirmations')
  }],
  ['P45 P47 unsubscribed: silence; subscribed again: events once', async (t) => {
    const client = await connect(t)
    const marker = record(await subscribe(client, 'marker'), 'm')
    await subscribe(client, 'on-off')
    const heard = record(client, 'e')
    client.unsubscribe('on-off')
    await trigger(t, ['on-off', 'marker'], 'm', 1)
    await until(() => marker.length === 1, 'the marker')
    await trigger(t, ['on-off'], 'e', 1)
    await trigger(t, ['marker'], 'm', 2)
    await until(() => marker.length === 2, 'the marker')
    equal(heard.length, 0, 'events heard')
    await subscribe(client, 'on-off')
    await trigger(t, ['on-off'], 'e', 1)
    await trigger(t, ['marker'], 'm', 3)
    await until(() => marker.length === 3, 'the marker')
    equal(heard.length, 1, 'events heard')
  }],
  ['P49 a private channel through an authorization endpoint', async (t) => {
    const client = await connect(t)
    const events = record(await subscribe(client, 'private-ops'), 'e')
    await trigger(t, 'private-ops', 'e', { a: 1 })
    await until(() => events.length, 'the event')
    equal(events[0].data, { a: 1 })
  }],
  ['the endpoint refuses: subscription_error with its status, connection up', async (t) => {
    const client = await connect(t)
    const errors = record(client.subscribe('private-forbidden'), 'pusher:subscription_error')
    await until(() => errors.length, 'the error')
    equal([errors[0].data.type, errors[0].data.status, client.connection.state], ['AuthError', 403, 'connected'])
  }],
  ['P50 P55 P56 the broker refuses a forged signature: subscription_error 401, connection up', async (t) => {
    const client = await connect(t)
    const errors = record(client.subscribe('private-forged'), 'pusher:subscription_error')
    await until(() => errors.length, 'the error')
    equal([errors[0].data.type, errors[0].data.status, client.connection.state], ['AuthError', 401, 'connected'])
    await subscribe(client, 'private-ops')
  }],
  ['P61–P70 presence: members, joining, leaving', async (t) => {
    const ada = await connect(t, { user: 'ada' })
    const room = await subscribe(ada, 'presence-room')
    equal([room.members.count, room.members.myID, room.members.me.info], [1, 'ada', { name: 'name of ada' }])
    const news = record(room, 'pusher:member_added', 'pusher:member_removed')
    const bob = await connect(t, { user: 'bob' })
    const bobs = await subscribe(bob, 'presence-room')
    const bobsNews = record(bobs, 'pusher:member_added')
    equal([bobs.members.count, bobs.members.get('ada').info], [2, { name: 'name of ada' }])
    await until(() => news.length === 1, 'member_added')
    equal(news[0], { name: 'pusher:member_added', data: { id: 'bob', info: { name: 'name of bob' } } })
    const again = await connect(t, { user: 'bob' })
    equal((await subscribe(again, 'presence-room')).members.count, 2, "members seen by bob's second connection")
    again.disconnect()
    bob.unsubscribe('presence-room')
    await until(() => news.length === 2, 'member_removed')
    equal([news[1].name, news[1].data.id, room.members.count], ['pusher:member_removed', 'bob', 1])
    equal(bobsNews.length, 0, 'what bob heard of himself')
  }],
  ['P83 P84 P91 client events go both ways, not to their sender, with the user on presence', async (t) => {
    const ada = await connect(t, { user: 'ada' })
    const bob = await connect(t, { user: 'bob' })
    for (const name of ['private-talk', 'presence-talk']) {
      const [a, b] = [await subscribe(ada, name), await subscribe(bob, name)]
      const [heardByAda, heardByBob] = [record(a, 'client-say'), record(b, 'client-say')]
      assert(a.trigger('client-say', { from: 'ada' }), 'sent')
      await until(() => heardByBob.length, `bob's on ${name}`)
      assert(b.trigger('client-say', 'just text'), 'sent')
      await until(() => heardByAda.length, `ada's on ${name}`)
      equal([heardByBob[0].data, heardByAda[0].data], [{ from: 'ada' }, 'just text'])
      if (name.startsWith('presence')) equal(heardByBob[0].metadata, { user_id: 'ada' }, 'metadata')
      equal([heardByAda.length, heardByBob.length], [1, 1], 'events heard')
    }
  }],
  ['P86 a client event on a public channel is refused', async (t) => {
    const [ada, bob] = [await connect(t), await connect(t)]
    const [a, b] = [await subscribe(ada, 'orders'), await subscribe(bob, 'orders')]
    const heard = record(b, 'client-say', 'marker')
    ada.send_event('client-say', {}, a.name)
    await until(() => ada.errors.length, 'the error')
    await trigger(t, 'orders', 'marker', 1)
    await until(() => heard.length, 'the marker')
    equal(heard[0].name, 'marker')
  }],
  ['P90 client events over the rate: error 4301, still connected, soon allowed again', async (t) => {
    const [ada, bob] = [await connect(t), await connect(t)]
    const [a, b] = [await subscribe(ada, 'private-rate'), await subscribe(bob, 'private-rate')]
    const heard = record(b, 'client-n')
    for (let n = 0; n < 30; n += 1) a.trigger('client-n', { n })
    await until(() => ada.errors.length >= 1, 'the error')
    equal(ada.errors[0].data.data?.code ?? ada.errors[0].data.error?.data?.code, 4301, 'code')
    equal(ada.connection.state, 'connected')
    await delay(1100)
    const before = heard.length
    assert(before >= 10 && before < 30, `${before} delivered`)
    a.trigger('client-n', { n: 'later' })
    await until(() => heard.length > before, 'an event after a second')
  }],
  ['P59 P163 an encrypted channel decrypts what pusher-http-node published', async (t) => {
    if (!t.canDecrypt) skip('this build has no decryption')
    const client = await connect(t)
    for (const name of ['private-encrypted-x', 'private-encrypted-cache-x']) {
      const events = record(await subscribe(client, name), 'secret')
      await trigger(t, name, 'secret', { text: 'schön ☃' })
      await until(() => events.length, `the event on ${name}`)
      equal(events[0].data, { text: 'schön ☃' })
    }
    const late = await connect(t)
    const cached = record(late.subscribe('private-encrypted-cache-x'), 'secret')
    await until(() => cached.length, 'the cached event, decrypted')
    equal(cached[0].data, { text: 'schön ☃' })
  }],
  ...['cache-stock', 'private-cache-stock', 'presence-cache-stock'].map((name) => [
    `P109–P114 ${name}: cache_miss, then the last event for whoever comes`, async (t) => {
      const [ada, bob] = [await connect(t, { user: 'ada' }), await connect(t, { user: 'bob' })]
      const channel = ada.subscribe(name)
      const first = record(channel, 'pusher:subscription_succeeded', 'pusher:cache_miss', 'price')
      await until(() => first.length > 1, 'the miss')
      equal(first.map((event) => event.name), ['pusher:subscription_succeeded', 'pusher:cache_miss'])
      await trigger(t, name, 'price', { eur: 1 })
      await trigger(t, name, 'price', { eur: 2 })
      await until(() => first.length === 4, 'both live events')
      if (name !== 'cache-stock') {
        const heard = record(await subscribe(await connect(t, { user: 'eve' }), name), 'client-price')
        ada.channel(name).trigger('client-price', { eur: 3 })
        await until(() => heard.length, 'the client event')
      }
      const second = record(
        bob.subscribe(name), 'pusher:subscription_succeeded', 'pusher:cache_miss', 'price', 'client-price')
      await until(() => second.length > 1, 'the cached event')
      await trigger(t, 'cache-marker', 'm', 1)
      equal(second.map((event) => event.name), ['pusher:subscription_succeeded', 'price'])
      equal(second[1].data, { eur: 2 })
      equal(first.length, 4, 'what the first subscriber heard')
    },
  ]),
  ['P97 P102 sign-in; user events on every connection of the user', async (t) => {
    const [one, two] = [await connect(t, { user: 'u-17' }), await connect(t, { user: 'u-17' })]
    const other = await connect(t, { user: 'u-18' })
    for (const client of [one, two, other]) await signIn(client)
    equal(one.user.user_data, { id: 'u-17', user_info: { name: 'name of u-17' } })
    const heard = [one, two, other].map((client) => record(client.user, 'note', 'marker'))
    await control(t.url, 'sendToUser', { user: 'u-17', event: 'note', data: { hello: 'wörld' } })
    for (const user of ['u-17', 'u-18']) await control(t.url, 'sendToUser', { user, event: 'marker', data: 1 })
    await until(() => heard.every((events) => events.at(-1)?.name === 'marker'), 'the markers')
    const names = heard.map((events) => events.map((event) => event.name))
    equal(names, [['note', 'marker'], ['note', 'marker'], ['marker']])
    equal(heard[0][0].data, { hello: 'wörld' })
  }],
  ['P106 P107 watchlist: online and offline, once per user and not per connection', async (t) => {
    const watcher = await connect(t, { user: 'watcher', watchlist: 'friend,stranger' })
    const news = record(watcher.user.watchlist, 'online', 'offline')
    await signIn(watcher)
    await until(() => news.length, 'the first state')
    assert(news.some((event) => event.name === 'offline' && event.data.user_ids.includes('friend')), 'offline at first')
    news.length = 0
    const [one, two] = [await connect(t, { user: 'friend' }), await connect(t, { user: 'friend' })]
    await signIn(one)
    await until(() => news.length, 'online')
    await signIn(two)
    two.disconnect()
    one.disconnect()
    await until(() => news.length > 1, 'offline')
    equal(news.map((event) => [event.name, event.data.user_ids]), [['online', ['friend']], ['offline', ['friend']]])
  }],
  ['P115 subscription_count reaches the subscribers', async (t) => {
    const [ada, bob] = [await connect(t), await connect(t)]
    const channel = ada.subscribe('counted')
    const counts = record(channel, 'pusher:subscription_count')
    await until(() => counts.length, 'the first count')
    await subscribe(bob, 'counted')
    await until(() => channel.subscriptionCount === 2, 'two')
    bob.unsubscribe('counted')
    await until(() => channel.subscriptionCount === 1, 'one')
    equal(counts.map((event) => event.data.subscription_count), [1, 2, 1])
  }],
  ['P103 P104 terminate_connections ends the signed-in ones for good, and no others', async (t) => {
    const [one, two] = [await connect(t, { user: 'bad' }), await connect(t, { user: 'bad' })]
    const [member, other] = [await connect(t, { user: 'bad' }), await connect(t, { user: 'good' })]
    for (const client of [one, two, other]) await signIn(client)
    await subscribe(member, 'presence-terminate')
    equal(await control(t.url, 'terminate', { user: 'bad' }), {})
    await until(() => [one, two].every((client) => client.connection.state === 'disconnected'), 'both ends', 2000)
    await delay(3000)
    equal([one, two, member, other].map((client) => client.connection.state),
      ['disconnected', 'disconnected', 'connected', 'connected'])
    equal(one.states.map((change) => change.state), ['connected', 'disconnected'], 'states')
  }],
  ['P19 the broker restarts behind a balancer: 4200, connected again within 1 s', async (t) => {
    const { port } = await control(t.url, 'balancer')
    const client = await connect(t, { port })
    client.states.length = 0
    await control(t.url, 'restart')
    const returned = Date.now()
    await until(() => client.states.at(-1)?.state === 'connected', 'the connection')
    const took = client.states.at(-1).at - returned
    assert(JSON.stringify(client.errors).includes('4200'), `4200 among ${JSON.stringify(client.errors)}`)
    assert(took < 1000, `${took} ms after the broker's return`)
    return `${took} ms after the broker's return`
  }],
  ['P164 the broker restarts: connected again, authorized and signed in again, events flow', async (t) => {
    const [ada, bob] = [await connect(t, { user: 'ada' }), await connect(t, { user: 'bob' })]
    const [channel, room] = [await subscribe(ada, 'private-after'), await subscribe(ada, 'presence-after')]
    await subscribe(bob, 'presence-after')
    await signIn(ada)
    const socketID = ada.connection.socket_id
    const notes = record(ada.user, 'note')
    const events = record(channel, 'e')
    await control(t.url, 'restart')
    const returned = Date.now()
    const isBack = () => ada.connection.state === 'connected' && ada.connection.socket_id !== socketID
    await until(isBack, 'a new connection', 30000)
    const took = Date.now() - returned
    await until(() => bob.connection.state === 'connected' && channel.subscribed && room.subscribed, 'subscriptions')
    await until(() => room.members.count === 2, 'both members')
    await until(() => ada.user.user_data, 'the second sign-in')
    const authorized = (await control(t.url, 'authRequests'))
      .filter((request) => request.socketID === ada.connection.socket_id)
      .map((request) => request.channel ?? request.user)
    equal(authorized.sort(), ['ada', 'presence-after', 'private-after'])
    await trigger(t, 'private-after', 'e', 1)
    await control(t.url, 'sendToUser', { user: 'ada', event: 'note', data: 1 })
    await until(() => events.length === 1 && notes.length === 1, 'events on the new connection')
    return `connected ${took} ms after the broker's return`
  }],
  ['P18 over capacity (4100): tries again after 1 s each time, and is let in when there is room', async (t) => {
    const full = await control(t.url, 'another', { variables: { BROKER_MAX_CONNECTIONS: 1 } })
    const first = await connect(t, { port: full.port })
    const second = await connect(t, { port: full.port, waits: false })
    const refusals = []
    second.connection.bind('error', () => refusals.push(Date.now()))
    await delay(3500)
    assert(second.errors.every((error) => JSON.stringify(error.data).includes('4100')), JSON.stringify(second.errors))
    assert(refusals.length >= 2, `${refusals.length} refusals in 3.5 s`)
    const gaps = refusals.slice(1).map((time, index) => time - refusals[index])
    assert(gaps.every((gap) => gap >= 990), `${gaps} ms between refusals`)
    first.disconnect()
    await until(() => second.connection.state === 'connected', 'the place')
    return `${gaps.join(', ')} ms between refusals`
  }],
  ['P12 the app is over its quota (4004): disconnected, no retry; who was there stays', async (t) => {
    const { port } = await control(t.url, 'another', { app: { max_connections: 1 } })
    const first = await connect(t, { port })
    const second = await connect(t, { port, waits: false })
    await until(() => second.connection.state === 'disconnected', () => `disconnected: ${second.connection.state}`)
    assert(JSON.stringify(second.errors).includes('4004'), 'error 4004')
    await delay(2000)
    equal([first.connection.state, second.connection.state], ['connected', 'disconnected'])
  }],
  ['P11 the app is disabled while it runs (4003): disconnected, and refused when it comes again', async (t) => {
    const { port } = await control(t.url, 'another')
    const client = await connect(t, { port })
    await control(t.url, 'reload', { port, app: { enabled: false } })
    await until(() => client.connection.state === 'disconnected', () => `disconnected: ${client.connection.state}`)
    assert(JSON.stringify(client.errors).includes('4003'), 'error 4003')
    const later = await connect(t, { port, waits: false })
    await until(() => later.connection.state === 'disconnected', () => `disconnected: ${later.connection.state}`)
    await control(t.url, 'reload', { port, app: { enabled: true } })
    await until(async () => {
      later.connect()
      await delay(200)
      return later.connection.state === 'connected'
    }, 'the connection after the app is enabled again')
  }],
  ['over TLS: subscriptions and client events', async (t) => {
    const { port } = await control(t.url, 'another', { tls: true })
    const tls = { port, wssPort: port, forceTLS: true }
    const [ada, bob] = [await connect(t, tls), await connect(t, { ...tls, user: 'bob' })]
    const [a, b] = [await subscribe(ada, 'presence-tls'), await subscribe(bob, 'presence-tls')]
    const heard = record(b, 'client-say')
    a.trigger('client-say', { text: 'schön'.repeat(1000) })
    await until(() => heard.length, 'the event')
    equal(heard[0].data.text.length, 5000)
  }],
  ['P13 an app that demands TLS: 4000, upon which pusher-js comes again by TLS', async (t) => {
    const { port } = await control(t.url, 'another', { tls: true, app: { require_tls: true } })
    const client = await connect(t, { port, wssPort: port })
    assert(client.config.useTLS || client.connection.usingTLS, 'uses TLS')
    await subscribe(client, 'private-tls')
  }],
  ['P17 a wrong key: disconnected, and no attempt within 30 s', async (t) => {
    const client = await connect(t, { key: '0123456789abcdef0123', waits: false })
    await until(() => client.connection.state === 'disconnected', () => `disconnected: ${client.connection.state}`)
    const changes = client.states.length
    await delay(30000)
    equal([client.connection.state, client.states.length], ['disconnected', changes])
    assert(JSON.stringify(client.errors).includes('4001'), 'error 4001')
    return '30 s'
  }],
]
