// Laravel Echo against the broker; behind checks.js in the same scope.
//
// Context: Echo, Pusher, broadcaster, url (of the application server), key, port.

/** A connected Echo of a user. */
async function connect(t, { user = 'ada', ...options } = {}) {
  const echo = new t.Echo({
    broadcaster: t.broadcaster, Pusher: t.Pusher, key: t.key, ...(t.broadcaster === 'pusher' ? { cluster: '' } : {}),
    wsHost: '127.0.0.1', wsPort: t.port, wssPort: t.port, forceTLS: false, enabledTransports: ['ws', 'wss'],
    authEndpoint: `${t.url}/broadcasting/auth`,
    userAuthentication: { endpoint: `${t.url}/broadcasting/user-auth`, headers: { 'X-User': user } },
    auth: { headers: { 'X-User': user } }, bearerToken: `token-of-${user}`, csrfToken: 'csrf', ...options,
  })
  t.later(() => echo.disconnect())
  await until(() => echo.socketId(), 'a connection')
  return echo
}

function publish(t, channels, event, data, parameters) {
  return control(t.url, 'trigger', { channels, event, data, parameters })
}

const confirmed = (channel) => until(() => channel.subscription.subscribed, `the confirmation of ${channel.name}`)

/** A list and a callback that adds to it. */
function heard() {
  const list = []
  return [list, (value) => list.push(value)]
}

const echoChecks = [
  ['channel: listen by class name, by namespace and by plain name', async (t) => {
    const echo = await connect(t)
    const [[plain, onPlain], [nested, onNested]] = [heard(), heard()]
    const [[other, onOther], [named, onNamed]] = [heard(), heard()]
    const channel = echo.channel('orders').listen('OrderShipped', onPlain).listen('Orders.Packed', onNested)
      .listen('\\Other\\Thing', onOther).listen('.order.shipped', onNamed)
    await confirmed(channel)
    await publish(t, 'orders', 'App\\Events\\OrderShipped', { id: 1 })
    await publish(t, 'orders', 'App\\Events\\Orders\\Packed', { id: 2 })
    await publish(t, 'orders', 'Other\\Thing', { id: 3 })
    await publish(t, 'orders', 'order.shipped', { id: 4 })
    await until(() => named.length, 'the last event')
    equal([plain, nested, other, named], [[{ id: 1 }], [{ id: 2 }], [{ id: 3 }], [{ id: 4 }]])
  }],
  ['namespace: another one, and none', async (t) => {
    const [one, two] = [await connect(t, { namespace: 'Shop.Events' }), await connect(t, { namespace: false })]
    const [[first, onFirst], [second, onSecond]] = [heard(), heard()]
    await confirmed(one.channel('orders').listen('Packed', onFirst))
    await confirmed(two.channel('orders').listen('Shop.Events.Packed', onSecond))
    await publish(t, 'orders', 'Shop\\Events\\Packed', 1)
    await until(() => first.length && second.length, 'both')
  }],
  ['P159 private: an event arrives; the endpoint saw form fields, the bearer and the CSRF token', async (t) => {
    const echo = await connect(t)
    const [events, onEvent] = heard()
    await confirmed(echo.private('orders.1').listen('OrderShipped', onEvent))
    await publish(t, 'private-orders.1', 'App\\Events\\OrderShipped', { order: { id: 1 } })
    await until(() => events.length, 'the event')
    equal(events, [{ order: { id: 1 } }])
    const request = (await control(t.url, 'authRequests')).findLast((one) => one.channel === 'private-orders.1')
    equal([request.headers.authorization, request.headers['x-csrf-token'], request.headers['content-type']],
      ['Bearer token-of-ada', 'csrf', 'application/x-www-form-urlencoded'])
  }],
  ['P57 error fires when the endpoint refuses, and when the broker does', async (t) => {
    const echo = await connect(t)
    for (const [name, status] of [['forbidden', 403], ['forged', 401]]) {
      const [errors, onError] = heard()
      echo.private(name).error(onError)
      await until(() => errors.length, `the error of ${name}`)
      equal([errors[0].type, errors[0].status], ['AuthError', status])
    }
    const [errors, onError] = heard()
    echo.join('forged-room').error(onError)
    await until(() => errors.length, 'the error of a presence channel')
    equal(errors[0].status, 401)
    await confirmed(echo.private('fine'))
  }],
  ['P161 join: here with every member once, joining and leaving with their info', async (t) => {
    const [ada, bob, again] = [await connect(t), await connect(t, { user: 'bob' }), await connect(t, { user: 'bob' })]
    const [[here, onHere], [joined, onJoined], [left, onLeft]] = [heard(), heard(), heard()]
    const room = ada.join('room.1').here(onHere).joining(onJoined).leaving(onLeft)
    await until(() => here.length, 'here')
    equal(here, [[{ name: 'name of ada' }]])
    const [bobsHere, onBobsHere] = heard()
    bob.join('room.1').here(onBobsHere)
    await until(() => bobsHere.length, "bob's here")
    const [againHere, onAgainHere] = heard()
    again.join('room.1').here(onAgainHere)
    await until(() => againHere.length, "bob's second here")
    const names = (members) => members.map((member) => member.name).sort()
    equal([names(bobsHere[0]), names(againHere[0])], [['name of ada', 'name of bob'], ['name of ada', 'name of bob']])
    await until(() => joined.length, 'joining')
    again.leave('room.1')
    bob.leave('room.1')
    await until(() => left.length, 'leaving')
    equal([joined, left], [[{ name: 'name of bob' }], [{ name: 'name of bob' }]])
    const [events, onEvent] = heard()
    room.listen('Said', onEvent)
    await publish(t, 'presence-room.1', 'App\\Events\\Said', 1)
    await until(() => events.length, 'an event on the presence channel')
  }],
  ['P162 whisper both ways, not to oneself', async (t) => {
    const [ada, bob] = [await connect(t), await connect(t, { user: 'bob' })]
    for (const open of [(echo) => echo.private('talk'), (echo) => echo.join('talk')]) {
      const [[toAda, onAda], [toBob, onBob]] = [heard(), heard()]
      const [a, b] = [open(ada).listenForWhisper('typing', onAda), open(bob).listenForWhisper('typing', onBob)]
      await confirmed(a)
      await confirmed(b)
      a.whisper('typing', { from: 'ada' })
      await until(() => toBob.length, "ada's whisper")
      b.whisper('typing', { from: 'bob' })
      await until(() => toAda.length, "bob's whisper")
      equal([toAda, toBob], [[{ from: 'bob' }], [{ from: 'ada' }]])
    }
  }],
  ['P163 encryptedPrivate decrypts', async (t) => {
    const echo = await connect(t)
    const [events, onEvent] = heard()
    await confirmed(echo.encryptedPrivate('x').listen('Secret', onEvent))
    await publish(t, 'private-encrypted-x', 'App\\Events\\Secret', { text: 'schön ☃' })
    await until(() => events.length, 'the event')
    equal(events, [{ text: 'schön ☃' }])
  }],
  ['P160 toOthers: Echo adds X-Socket-ID to requests, and the named connection is left out', async (t) => {
    let intercept
    const interceptors = { request: { use: (callback) => { intercept = callback } } }
    globalThis.axios = Object.assign(() => {}, { interceptors })
    t.later(() => { delete globalThis.axios })
    const [ada, bob] = [await connect(t), await connect(t, { user: 'bob' })]
    ada.registerInterceptors()
    const socketID = intercept({ headers: {} }).headers['X-Socket-Id']
    equal(socketID, ada.socketId())
    const [[toAda, onAda], [toBob, onBob]] = [heard(), heard()]
    await confirmed(ada.private('news').listen('Posted', onAda))
    await confirmed(bob.private('news').listen('Posted', onBob))
    await publish(t, 'private-news', 'App\\Events\\Posted', 1, { socket_id: socketID })
    await publish(t, 'private-news', 'App\\Events\\Posted', 2)
    await until(() => toAda.length && toBob.length === 2, 'both')
    equal([toAda, toBob], [[2], [1, 2]])
  }],
  ['notification', async (t) => {
    const echo = await connect(t)
    const [notes, onNote] = heard()
    await confirmed(echo.private('App.Models.User.17').notification(onNote))
    const note = { id: 'n-1', type: 'Invoice' }
    const name = 'Illuminate\\Notifications\\Events\\BroadcastNotificationCreated'
    await publish(t, 'private-App.Models.User.17', name, note)
    await until(() => notes.length, 'the notification')
    equal(notes, [note])
  }],
  ['listenToAll, stopListening, leave', async (t) => {
    const echo = await connect(t)
    const [[all, onAll], [one, onOne]] = [heard(), heard()]
    const channel = echo.channel('board').listen('A', onOne).listenToAll((event, data) => onAll([event, data]))
    await confirmed(channel)
    await publish(t, 'board', 'App\\Events\\A', 1)
    await publish(t, 'board', 'other', 2)
    await until(() => all.length === 2, 'both')
    equal(all, [['A', 1], ['.other', 2]])
    channel.stopListening('A', onOne)
    await publish(t, 'board', 'App\\Events\\A', 3)
    await until(() => all.length === 3, 'the third')
    equal(one, [1])
    echo.leave('board')
    await until(async () => {
      const { channels } = await control(t.url, 'get', { path: '/channels' })
      return !channels.board
    }, 'the channel to be empty')
  }],
  ['a cache channel through private', async (t) => {
    const [ada, bob] = [await connect(t), await connect(t, { user: 'bob' })]
    const [[first, onFirst], [second, onSecond]] = [heard(), heard()]
    await confirmed(ada.private('cache-price').listen('Changed', onFirst))
    await publish(t, 'private-cache-price', 'App\\Events\\Changed', { eur: 1 })
    await until(() => first.length, 'the live event')
    bob.private('cache-price').listen('Changed', onSecond)
    await until(() => second.length, 'the cached event')
    equal(second, [{ eur: 1 }])
  }],
  ['signin through the connector; a user event arrives', async (t) => {
    const echo = await connect(t)
    const notes = record(echo.connector.pusher.user, 'note')
    echo.connector.signin()
    await until(() => echo.connector.pusher.user.user_data, 'sign-in')
    await control(t.url, 'sendToUser', { user: 'ada', event: 'note', data: { a: 1 } })
    await until(() => notes.length, 'the user event')
    equal(notes[0].data, { a: 1 })
  }],
]
