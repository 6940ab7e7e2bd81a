// Runs the checks of pusher-js-checks.js in Node or in Chromium: pusher-js.cjs node|web|web-with-encryption|worker

const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')
const { APP, ApplicationServer, Broker, Report, balancer, required } = require('./support.cjs')
const { openPage } = require('./browser.cjs')

const BUILDS = {
  node: { file: 'dist/node/pusher.js', canDecrypt: true },
  web: { file: 'dist/web/pusher.js', canDecrypt: false },
  'web-min': { file: 'dist/web/pusher.min.js', canDecrypt: false },
  'web-with-encryption': { file: 'dist/web/pusher-with-encryption.js', canDecrypt: true },
}

// The broker's certificate is one it made itself.
process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0'

async function main(name) {
  const build = BUILDS[name]
  const library = path.join(required('PUSHER_JS'), build.file)
  const { version } = JSON.parse(fs.readFileSync(path.join(required('PUSHER_JS'), 'package.json')))
  const report = new Report(`pusher-js ${version} ${name}`)
  const sources = ['checks.js', 'pusher-js-checks.js'].map((file) => fs.readFileSync(path.join(__dirname, file)))

  const broker = new Broker()
  await broker.start()
  const [others, balancers] = [[], []]
  const application = new ApplicationServer(broker, {
    controls: {
      balancer: async () => {
        const front = await balancer(broker)
        balancers.push(front)
        return { port: front.port }
      },
      another: async ({ app, variables, tls }) => {
        const other = new Broker({ app, variables })
        others.push(other)
        if (tls) other.useTLS()
        await other.start()
        return { port: other.port }
      },
      reload: ({ port, app }) => others.find((other) => other.port === port).reload(app),
    },
  })
  await application.start()
  const context = {
    url: application.url, key: APP.key, port: broker.port, canDecrypt: build.canDecrypt, only: process.env.ONLY ?? '',
  }
  if (name === 'node') {
    const run = vm.runInThisContext(`(async (Pusher, context, report) => {
      ${sources.join('\n')}
      await runChecks(pusherChecks, { Pusher, ...context }, report)
    })`)
    await run(require(library), context, (line) => report.line(line))
  } else {
    const scripts = [fs.readFileSync(library, 'utf8'), ...sources]
    const start = `runChecks(pusherChecks, { Pusher, ...${JSON.stringify(context)} }, report).then(done, fail)`
    await openPage(application, scripts, start, report, ['--ignore-certificate-errors'])
  }
  application.stop()
  for (const front of balancers) front.close()
  for (const one of [broker, ...others]) await one.remove()
  process.exit(report.failed ? 1 : 0)
}

main(process.argv[2] ?? 'node')
