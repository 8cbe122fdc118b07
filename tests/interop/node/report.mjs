// One line of JSON per check on standard output; the Python side makes the table.
import { readFileSync } from 'node:fs'

export const sandbox = JSON.parse(readFileSync(0, 'utf8'))

export function persona(key) {
  return sandbox.personas.find((each) => each.key === key)
}

// The first registered client that fits; undefined members are not looked at.
export function client(wanted) {
  const found = sandbox.clients.find((each) => fits(each, wanted))
  if (!found) throw new Error(`the sandbox has no client like ${JSON.stringify(wanted)}`)
  return found
}

function fits(each, { grant, ...exact }) {
  if (grant && !each.grant_types.includes(grant)) return false
  return Object.entries(exact).every(([name, value]) => each[name] === value)
}

export async function check(library, flow, work) {
  const started = Date.now()
  try {
    await work()
    tell({ library, flow, ok: true, ms: Date.now() - started })
  } catch (error) {
    tell({ library, flow, ok: false, ms: Date.now() - started, reason: reason(error) })
  }
}

export function expect(condition, message) {
  if (!condition) throw new Error(message)
}

function tell(line) {
  process.stdout.write(JSON.stringify(line) + '\n')
}

function reason(error) {
  const parts = [error.name, error.code, error.error, error.error_description, error.message]
  if (error.cause) parts.push(JSON.stringify(error.cause, (key, value) => (value instanceof Error ? value.message : value)))
  return [...new Set(parts.filter(Boolean))].join(': ').slice(0, 500)
}
