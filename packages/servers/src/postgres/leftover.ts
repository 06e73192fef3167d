import { join } from 'node:path'
import process from 'node:process'
import { ServerFailed } from '../errors.ts'
import { commandLineOf } from '../process/process-info.ts'
import { waitUntil } from '../wait-until.ts'
import { readPostmasterFile } from './postmaster-file.ts'

const leaveMs = 15_000

/** The process id of the PostgreSQL that runs on the data directory below `dir`. */
export async function findRunningPostgres(dir: string): Promise<number | undefined> {
  const dataDir = join(dir, 'data')
  const file = await readPostmasterFile(dataDir)
  if (file === undefined) return undefined
  const commandLine = await commandLineOf(file.pid)
  return commandLine?.includes(`postgres -D ${dataDir} `) ? file.pid : undefined
}

/** Stops a PostgreSQL that a killed supervisor left running, by a fast shutdown. Returns whether there was one. */
export async function stopLeftoverPostgres(dir: string): Promise<boolean> {
  const pid = await findRunningPostgres(dir)
  if (pid === undefined) return false
  process.kill(pid, 'SIGINT')
  const gone = await waitUntil(async () => (await findRunningPostgres(dir)) === undefined, leaveMs)
  if (!gone)
    throw new ServerFailed(
      `PostgreSQL (process ${pid}), left over on ${dir}, does not stop. Stop it by hand.`,
    )
  return true
}
