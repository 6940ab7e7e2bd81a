// What the JavaScript drivers share: the broker as a process, an application server beside it, lines of a report.

const { execFileSync, spawn } = require('node:child_process')
const fs = require('node:fs')
const http = require('node:http')
const net = require('node:net')
const os = require('node:os')
const path = require('node:path')

const APP = { id: '4711', key: 'f3c1a90b7d2e4586aa10', secret: 'b7e2d94c1f60835ae4d2' }
const ENCRYPTION_KEY = Buffer.from('0123456789abcdef0123456789abcdef').toString('base64')

// Webhook bodies and their signatures under the app's secret.
process.env.HOOK_VECTORS = JSON.stringify([
  ['{"time_ms":1700000000123,"events":[{"name":"channel_occupied","channel":"orders"}]}',
    'd94b1dcf4d43753619b3ab9f646e691b482ce427f2f92d9ecac984011b39ca15'],
  ['{"time_ms":1700000000456,"events":[{"name":"client_event","channel":"presence-ops","event":"client-typing",'
    + '"data":"{\\"on\\":true}","socket_id":"81723.4410982","user_id":"u-17"}]}',
    '9cda82ddf712af4633cadaba9c36cd6a2afbdb9b680c04c0a3db54f75748136e'],
])

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** The value of a variable that a driver cannot do without. */
function required(name) {
  if (process.env[name]) return process.env[name]
  console.error(`${name} is not set; Tests/RealClients/README.md says what it is`)
  process.exit(64)
}

/**
 * A running `switchboard serve broker` with one app. `app` are settings of it in switchboard.yaml, `variables` those of
 * the whole broker in the environment. With a `hooksURL`, webhooks are sent there.
 */
class Broker {
  constructor({ app = {}, variables = {} } = {}) {
    this.settings = { app, variables }
    this.hooksURL = undefined
    this.directory = fs.mkdtempSync(path.join(os.tmpdir(), 'switchboard-'))
    this.port = 0
  }

  async start() {
    const binary = path.resolve(process.env.SWITCHBOARD_BIN ?? path.join(__dirname, '../../.build/debug/switchboard'))
    const ours = /^(BROKER_|TICKETS_|PUSHER_|LOG_|TLS_|TRUSTED_|DATA_DIR|DEMO)/
    const kept = Object.fromEntries(Object.entries(process.env).filter(([name]) => !ours.test(name)))
    this.process = spawn(binary, ['serve', 'broker', '--config', this.configure()], {
      cwd: this.directory,
      env: { ...kept, BROKER_PORT: this.port, OPS_PORT: 0, DATA_DIR: path.join(this.directory, 'data'), ...this.settings.variables },
      stdio: ['ignore', 'pipe', fs.openSync(path.join(this.directory, 'log'), 'a')],
    })
    this.ended = new Promise((resolve) => this.process.once('exit', resolve))
    this.port = await new Promise((resolve, reject) => {
      let text = ''
      this.process.stdout.on('data', (data) => {
        text += data
        const port = /broker +\w+:\/\/[^:]+:(\d+)/.exec(text)
        if (port) resolve(Number(port[1]))
      })
      this.process.once('exit', (code) => reject(new Error(`${binary} ended with ${code}: ${this.log()}`)))
    })
  }

  /** Writes switchboard.yaml, of which JSON is a form. */
  configure() {
    const app = { ...APP, watchlist: true, subscription_counts: true, ...this.settings.app }
    if (this.hooksURL) app.webhooks = [{ url: this.hooksURL }]
    const file = path.join(this.directory, 'switchboard.yaml')
    fs.writeFileSync(file, JSON.stringify({ apps: [app] }), { mode: 0o600 })
    return file
  }

  log() {
    return fs.readFileSync(path.join(this.directory, 'log'), 'utf8')
  }

  /** Changes the app's settings while it runs. */
  reload(app) {
    Object.assign(this.settings.app, app)
    this.configure()
    this.process.kill('SIGHUP')
  }

  /** Makes a certificate of its own for 127.0.0.1, and speaks TLS from the next start on. */
  useTLS() {
    const [certificate, key] = ['certificate.pem', 'key.pem'].map((name) => path.join(this.directory, name))
    execFileSync('openssl', [
      'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1',
      '-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate,
    ], { stdio: 'ignore' })
    Object.assign(this.settings.variables, { TLS_CERTIFICATE: certificate, TLS_KEY: key })
  }

  async stop(signal = 'SIGTERM') {
    this.process.kill(signal)
    await this.ended
  }

  async remove() {
    await this.stop()
    fs.rmSync(this.directory, { recursive: true })
  }
}

/** A TCP balancer in front of a broker: whoever comes while the broker is away waits for it. */
async function balancer(broker) {
  const sockets = new Set()
  const server = net.createServer((client) => {
    sockets.add(client)
    client.on('error', () => {})
    const dial = () => {
      const upstream = net.connect(broker.port, '127.0.0.1')
      upstream.once('connect', () => {
        client.pipe(upstream).pipe(client)
        upstream.on('close', () => client.destroy())
      })
      upstream.on('error', () => client.destroyed || setTimeout(dial, 20))
      dialled = upstream
    }
    let dialled
    dial()
    client.once('close', () => dialled.destroy())
  })
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve))
  const close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return { port: server.address().port, close }
}

/** pusher-http-node, pointed at a broker. */
function publisher(broker) {
  const Pusher = require(path.join(required('PUSHER_HTTP_NODE'), 'lib/pusher.js'))
  return new Pusher({
    appId: APP.id, key: APP.key, secret: APP.secret, host: '127.0.0.1', port: broker.port,
    encryptionMasterKeyBase64: ENCRYPTION_KEY,
  })
}

/**
 * The web application around a client under test: signs its subscriptions with pusher-http-node for the user that its
 * `X-User` header names, receives webhooks, serves `pages`, and runs `controls` by POST /control/<name>.
 */
class ApplicationServer {
  constructor(broker, { controls = {}, pages = {} } = {}) {
    this.sdk = () => publisher(broker)
    const parse = async (response) => (await response).json()
    this.hooks = []
    this.authRequests = []
    this.controls = {
      trigger: ({ channels, event, data, parameters }) => parse(this.sdk().trigger(channels, event, data, parameters)),
      sendToUser: ({ user, event, data }) => parse(this.sdk().sendToUser(user, event, data)),
      terminate: ({ user }) => parse(this.sdk().terminateUserConnections(user)),
      get: ({ path, params }) => parse(this.sdk().get({ path, params })),
      hooks: () => this.hooks,
      authRequests: () => this.authRequests,
      restart: async () => {
        await broker.stop()
        await broker.start()
      },
      ...controls,
    }
    this.pages = pages
    this.server = http.createServer((request, response) => {
      const chunks = []
      request.on('data', (chunk) => chunks.push(chunk))
      request.on('end', () => {
        this.answer(request, Buffer.concat(chunks).toString())
          .catch((error) => [500, 'text/plain', `${error.stack}\n${error.body ?? ''}`])
          .then(([status, type, body]) => {
            response.writeHead(status, { 'Content-Type': type })
            response.end(body)
          })
      })
    })
  }

  async start() {
    await new Promise((resolve) => this.server.listen(0, '127.0.0.1', resolve))
    this.url = `http://127.0.0.1:${this.server.address().port}`
  }

  stop() {
    this.server.closeAllConnections()
    this.server.close()
  }

  async answer(request, body) {
    const { pathname } = new URL(request.url, 'http://localhost')
    const json = (value) => [200, 'application/json', JSON.stringify(value ?? null)]
    if (pathname.startsWith('/control/')) return json(await this.controls[pathname.slice(9)](JSON.parse(body || '{}')))
    if (pathname.endsWith('/user-auth')) return json(this.authenticate(request, new URLSearchParams(body)))
    if (pathname.endsWith('/auth')) return this.authorize(request, new URLSearchParams(body))
    if (pathname === '/hooks') {
      this.hooks.push({ headers: request.headers, body })
      return json({})
    }
    const page = this.pages[pathname]
    return page ? [200, page.type, page.body] : [404, 'text/plain', 'Not found']
  }

  authenticate(request, form) {
    const id = request.headers['x-user']
    this.authRequests.push({ user: id, socketID: form.get('socket_id') })
    const watchlist = (request.headers['x-watchlist'] ?? '').split(',').filter(Boolean)
    const user = { id, user_info: { name: `name of ${id}` } }
    if (watchlist.length) user.watchlist = watchlist
    return this.sdk().authenticateUser(form.get('socket_id'), user)
  }

  authorize(request, form) {
    const [socketID, channel, user] = [form.get('socket_id'), form.get('channel_name'), request.headers['x-user']]
    this.authRequests.push({ channel, socketID, headers: request.headers })
    if (channel.includes('forbidden')) return [403, 'application/json', '{"message":"no"}']
    const member = { user_id: user, user_info: { name: `name of ${user}` } }
    const answer = this.sdk().authorizeChannel(socketID, channel, channel.startsWith('presence-') ? member : undefined)
    if (channel.includes('forged')) answer.auth = `${APP.key}:${'0'.repeat(64)}`
    return [200, 'application/json', JSON.stringify(answer)]
  }
}

/** Prints one line per check, and knows whether all went well. */
class Report {
  constructor(client) {
    this.client = client
    this.failed = 0
  }

  line({ name, outcome, detail }) {
    if (outcome === 'FAIL') this.failed += 1
    console.log(`${outcome.padEnd(4)} ${this.client}: ${name}${detail ? ` (${detail})` : ''}`)
  }
}

module.exports = { APP, ENCRYPTION_KEY, ApplicationServer, Broker, Report, balancer, required, sleep }
