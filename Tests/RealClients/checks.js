// What the checks of pusher-js and of Laravel Echo have in common. Runs in Node and in a browser.

const delay = (ms) => new Promise((resolve) => setTimeout(resolve, ms))

/** The first truthy value of `condition`, asked again and again; `what` is a text or makes one when it is too late. */
async function until(condition, what, ms = 10000) {
  for (const end = Date.now() + ms; ; await delay(5)) {
    const value = await condition()
    if (value) return value
    if (Date.now() > end) throw new Error(`never came: ${typeof what === 'function' ? what() : what}`)
  }
}

function equal(actual, expected, what = 'value') {
  const [a, b] = [JSON.stringify(actual), JSON.stringify(expected)]
  if (a !== b) throw new Error(`${what} is ${a}, not ${b}`)
}

function assert(claim, what) {
  if (!claim) throw new Error(`not so: ${what}`)
}

/** Keeps what an emitter says under some names, in order. */
function record(emitter, ...names) {
  const events = []
  for (const name of names) emitter.bind(name, (data, metadata) => events.push({ name, data, metadata }))
  return events
}

/** Asks the driver to do something that a client cannot. */
async function control(url, name, argument = {}) {
  const response = await fetch(`${url}/control/${name}`, { method: 'POST', body: JSON.stringify(argument) })
  const text = await response.text()
  if (!response.ok) throw new Error(`${name}: ${text.slice(0, 200)}`)
  return JSON.parse(text)
}

/** Runs the checks whose name has `only` in it, one after another; a check cleans up after itself through `t.later`. */
async function runChecks(checks, context, report) {
  for (const [name, body] of checks.filter(([name]) => name.includes(context.only))) {
    const cleanups = []
    let line
    const began = Date.now()
    try {
      const detail = await body({ ...context, later: (cleanup) => cleanups.push(cleanup) })
      line = { name, outcome: 'ok', detail: detail ?? `${Date.now() - began} ms` }
    } catch (error) {
      line = { name, outcome: error.skips ? 'skip' : 'FAIL', detail: error.message }
    }
    for (const cleanup of cleanups) cleanup()
    await report(line)
  }
}

function skip(why) {
  throw Object.assign(new Error(why), { skips: true })
}
