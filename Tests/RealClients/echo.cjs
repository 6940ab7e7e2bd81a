// Runs the checks of echo-checks.js with both connectors: echo.cjs node|browser
//
// ECHO_BUILD is a directory with Laravel Echo as CommonJS modules, the first of which is echo.js.

const fs = require('node:fs')
const path = require('node:path')
const vm = require('node:vm')
const { APP, ApplicationServer, Broker, Report, required } = require('./support.cjs')
const { openPage } = require('./browser.cjs')

/** All CommonJS modules under a directory as one script that defines `Echo`. */
function bundle(directory) {
  const files = fs.readdirSync(directory, { recursive: true }).filter((file) => file.endsWith('.js'))
  const modules = files.map((file) => `${JSON.stringify(file)}: (require, module, exports) => {
    ${fs.readFileSync(path.join(directory, file))}
  }`)
  return `const Echo = (() => {
    const modules = {${modules.join(',')}}, loaded = {}
    const load = (name) => {
      if (loaded[name]) return loaded[name].exports
      const module = loaded[name] = { exports: {} }
      const resolve = (to) => {
        const parts = name.split('/').slice(0, -1)
        for (const part of to.split('/')) part === '..' ? parts.pop() : part === '.' || parts.push(part)
        const base = parts.join('/')
        return load(modules[base + '.js'] ? base + '.js' : base + '/index.js')
      }
      modules[name](resolve, module, module.exports)
      return module.exports
    }
    return load('echo.js').default
  })()`
}

async function main(place) {
  const build = place === 'node' ? 'dist/node/pusher.js' : 'dist/web/pusher-with-encryption.js'
  const library = path.join(required('PUSHER_JS'), build)
  const files = ['checks.js', 'echo-checks.js'].map((file) => fs.readFileSync(path.join(__dirname, file), 'utf8'))
  const sources = [bundle(required('ECHO_BUILD')), ...files]
  let failed = 0
  for (const broadcaster of ['pusher', 'reverb']) {
    const report = new Report(`Echo ${broadcaster} ${place}`)
    const broker = new Broker()
    await broker.start()
    const application = new ApplicationServer(broker)
    await application.start()
    const context = { url: application.url, key: APP.key, port: broker.port, broadcaster, only: process.env.ONLY ?? '' }
    if (place === 'node') {
      const run = vm.runInThisContext(`(async (Pusher, context, report) => {
        ${sources.join('\n')}
        await runChecks(echoChecks, { Echo, Pusher, ...context }, report)
      })`)
      await run(require(library), context, (line) => report.line(line))
    } else {
      await openPage(application, [fs.readFileSync(library, 'utf8'), ...sources],
        `runChecks(echoChecks, { Echo, Pusher, ...${JSON.stringify(context)} }, report).then(done, fail)`, report)
    }
    application.stop()
    await broker.remove()
    failed += report.failed
  }
  process.exit(failed ? 1 : 0)
}

main(process.argv[2] ?? 'node')
