// Runs scripts in a headless Chromium, on a page of the application server; the page reports by POST.

const { spawn } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')

/** Resolves when the page has called `done`; `start` begins, and sees `report`, `done` and `fail`. */
async function openPage(application, scripts, start, report, flags = []) {
  const page = scripts.map((_, index) => `<script src="/script/${index}"></script>`).join('')
  const [html, javascript] = ['text/html; charset=utf-8', 'text/javascript; charset=utf-8']
  application.pages['/'] = {
    type: html, body: `<!doctype html><title>Checks</title>${page}<script src="/start"></script>`,
  }
  scripts.forEach((body, index) => { application.pages[`/script/${index}`] = { type: javascript, body } })
  application.pages['/start'] = {
    type: javascript,
    body: `const post = (name, value) => fetch('/control/' + name, { method: 'POST', body: JSON.stringify(value) })
      const report = (line) => post('line', line), done = () => post('done', {})
      const fail = (error) => post('failed', { message: String(error.stack) })
      addEventListener('error', (event) => post('failed', { message: event.message }))
      ${start}`,
  }
  const profile = fs.mkdtempSync(path.join(os.tmpdir(), 'chromium-'))
  const finished = new Promise((resolve, reject) => {
    application.controls.line = (line) => report.line(line)
    application.controls.done = () => resolve()
    application.controls.failed = ({ message }) => reject(new Error(message))
  })
  // Without its sandbox, since it may be run as root; it sees nothing but this page.
  const chromium = spawn(process.env.CHROMIUM ?? 'chromium', [
    '--headless=new', '--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--disable-background-networking',
    '--no-first-run',
    `--user-data-dir=${profile}`, ...flags, application.url,
  ], { stdio: 'ignore', detached: true })
  const ended = new Promise((resolve) => chromium.once('exit', resolve))
  try {
    await Promise.race([finished, ended.then(() => { throw new Error('Chromium ended') })])
  } finally {
    process.kill(-chromium.pid)
    await ended
    fs.rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
  }
}

module.exports = { openPage }
