#!/usr/bin/env node
// `npx @sekali/cli` begins here, as the commands of a clone begin in bootstrap.mjs: plain JavaScript for any Node. `start` and
// `demo` bring the whole system: they need a Node that runs definitions in TypeScript, and a Redis. `backup` and `restore`
// have to do with its PostgreSQL alone. All else is the command line, which speaks HTTP alone. infra/release builds the
// package, in which all files lie beside this one.
import { constants } from 'node:os'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { SetUpFailed } from './set-up/failure.mjs'
import { fileTrouble } from './set-up/file-trouble.mjs'
import { refusalOf } from './set-up/node-version.mjs'
import { aroundProxies } from './set-up/proxy.mjs'
import { ensureRedis } from './set-up/redis.mjs'
import { createRelay } from './set-up/relay.mjs'

const usageExit = 2
const [command = '', ...args] = process.argv.slice(2)
const isSystem = ['start', 'demo', 'backup', 'restore'].includes(command)
const ofBackups = command === 'backup' || command === 'restore'

const asksForHelp = args.some((arg) => arg === '--help' || arg === '-h')

// Help starts nothing, so that any Node of the command line shows it.
const refusal = refusalOf(process.versions.node, isSystem && !asksForHelp ? command : undefined)
if (refusal !== undefined) {
  process.stderr.write(`sekali: ${refusal}\n`)
  process.exitCode = usageExit
} else if (isSystem) await runSystem()
else await import('../../apps/cli/src/main.ts')

async function runSystem() {
  const relay = createRelay()
  try {
    process.exitCode = await run(relay)
  } catch (error) {
    const words = error instanceof SetUpFailed ? error.message : fileTrouble(error)
    if (words === undefined) throw error
    process.stderr.write(`\n${words}\n`)
    process.exitCode = error.isUsage ? usageExit : 1
  } finally {
    relay.close()
  }
}

/** A process of its own, as in a clone, so that a terminal's Ctrl-C and an end of npx mean the same in both. */
async function run(relay) {
  const env = { ...process.env, ...aroundProxies(process.env) }
  const bringsRedis = command === 'start' && (process.env.REDIS_URL || process.env.REDIS_URL_FILE)
  if (!asksForHelp && !bringsRedis && !ofBackups) env.REDIS_SERVER = await ensureRedis(relay)
  const script = fileURLToPath(new URL(`./${command}.mjs`, import.meta.url))
  const { code, signal } = await relay.run(process.execPath, [script, ...args], {
    env,
    stdio: 'inherit',
    ipc: true,
  })
  return signal === null ? code : 128 + constants.signals[signal]
}
