/** Programs that an operator runs once: what they print is for him, and their status for his scripts. */
import { type ParseArgsOptionsConfig, parseArgs } from 'node:util'
import { InvalidConfig, SekaliError } from '@sekali/core/errors'
import { databaseUrl, parseEnv } from '@sekali/process/env'
import { usageStatus } from '@sekali/process/usage'
import { connectStore, type Store } from '@sekali/store/connect'
import { processName } from '@sekali/store/process-name'
import * as v from 'valibot'

export const say = (words: string) => void process.stderr.write(`${words}\n`)

const help = { type: 'boolean', short: 'h', default: false } as const

/** Reads the options of the command line. Throws `InvalidConfig` for those that there are not. */
export function readOptions<const O extends ParseArgsOptionsConfig>(options: O, usage: string) {
  try {
    return parseArgs({ options: { ...options, help } }).values
  } catch {
    // Its words quote what was typed, which may be a secret in the wrong place.
    throw noSense(usage)
  }
}

/** For options that do not go together. */
export const noSense = (usage: string): InvalidConfig =>
  new InvalidConfig(`this makes no sense here\n\n${usage}`)

const silent = { warn: () => undefined }

/** The store of DATABASE_URL, on one connection with this name. Throws `InvalidConfig` when it is not set. */
export function openStore(name: string): Store {
  const { DATABASE_URL: url } = parseEnv(v.object({ DATABASE_URL: databaseUrl }), process.env)
  return connectStore({ url, poolMax: 1, name: processName(name) }, silent)
}

/** Runs the program to its end; `failed` is what is said of an error that is none of ours. */
export async function runOnce(main: () => Promise<number>, failed: string): Promise<void> {
  try {
    process.exitCode = await main()
  } catch (error) {
    say(error instanceof SekaliError ? error.message : failed)
    process.exitCode = error instanceof InvalidConfig ? usageStatus : 1
  }
  if (process.connected) process.disconnect() // a supervisor's channel would keep it up
}
