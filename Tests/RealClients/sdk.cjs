// Runs a server SDK's driver against a broker of its own: sdk.cjs NAME COMMAND [ARGUMENT…]
//
// The driver finds the broker in BROKER_HOST and BROKER_PORT and the app in PUSHER_APP_ID, _KEY and _SECRET. Clients it
// has none of: it asks this program for them by POST with a JSON body to LISTENER/control/…, answered with JSON:
//
//   connect {}                                     a WebSocket client: {client, socket_id}
//   subscribe {client, channel, auth, channel_data}  the frame that answers
//   signin {client, auth, user_data}               the same
//   say {client, channel, event, data}               a client event is sent; null
//   next {client, event}                           the next frame of that event; or the close: {close: code}
//   hook {name}                                    the next webhook with an event of that name: {headers, body}
//   report {name, outcome, detail}                 a line of the report; outcome is ok, FAIL or skip
//
// Needs Node 20 or later.

const { spawn } = require('node:child_process')
const { APP, ENCRYPTION_KEY, ApplicationServer, Broker, Report, sleep } = require('./support.cjs')

/** A bare client, whose frames are kept until they are asked for. */
class Listener {
  constructor(port) {
    this.frames = []
    this.socket = new WebSocket(`ws://127.0.0.1:${port}/app/${APP.key}?protocol=7&client=test&version=1`)
    this.socket.onmessage = ({ data }) => this.frames.push(JSON.parse(data))
    this.socket.onclose = ({ code }) => this.frames.push({ event: 'close', close: code })
  }

  send(event, data) {
    this.socket.send(JSON.stringify({ event, data }))
  }

  /** Drops frames until one has one of these names. */
  async next(...names) {
    for (const end = Date.now() + 5000; ; await sleep(5)) {
      for (let frame; (frame = this.frames.shift());) if (names.includes(frame.event)) return frame
      if (Date.now() > end) throw new Error(`no ${names.join(' or ')} came`)
    }
  }
}

async function main(name, command, ...args) {
  const report = new Report(name)
  const broker = new Broker()
  const listeners = []
  const application = new ApplicationServer(broker, {
    controls: {
      connect: async () => {
        const listener = new Listener(broker.port)
        listeners.push(listener)
        const { data } = await listener.next('pusher:connection_established')
        return { client: listeners.length - 1, socket_id: JSON.parse(data).socket_id }
      },
      subscribe: ({ client, ...request }) => {
        listeners[client].send('pusher:subscribe', request)
        const names = ['pusher_internal:subscription_succeeded', 'pusher:subscription_error', 'pusher:error']
        return listeners[client].next(...names)
      },
      signin: ({ client, ...request }) => {
        listeners[client].send('pusher:signin', request)
        return listeners[client].next('pusher:signin_success', 'pusher:error')
      },
      say: ({ client, ...frame }) => listeners[client].socket.send(JSON.stringify(frame)),
      next: ({ client, event }) => listeners[client].next(event),
      hook: async ({ name: wanted }) => {
        for (const end = Date.now() + 10000; Date.now() < end; await sleep(20)) {
          const has = (hook) => JSON.parse(hook.body).events.some((event) => event.name === wanted)
          const index = application.hooks.findIndex(has)
          if (index >= 0) return application.hooks.splice(index, 1)[0]
        }
        throw new Error(`no hook ${wanted} came`)
      },
      report: (line) => report.line(line),
    },
  })
  await application.start()
  broker.hooksURL = `${application.url}/hooks`
  await broker.start()
  const driver = spawn(command, args, {
    stdio: 'inherit',
    env: {
      ...process.env, LISTENER: application.url, BROKER_HOST: '127.0.0.1', BROKER_PORT: broker.port, ENCRYPTION_KEY,
      PUSHER_APP_ID: APP.id, PUSHER_APP_KEY: APP.key, PUSHER_APP_SECRET: APP.secret,
    },
  })
  const code = await new Promise((resolve) => driver.once('exit', resolve))
  if (code) report.line({ name: 'the driver itself', outcome: 'FAIL', detail: `ended with ${code}` })
  application.stop()
  for (const { socket } of listeners) socket.close()
  await broker.remove()
  process.exit(report.failed ? 1 : 0)
}

main(...process.argv.slice(2))
