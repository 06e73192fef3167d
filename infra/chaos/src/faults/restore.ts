/**
 * PostgreSQL is put back to an earlier state, as from a backup, and Redis goes on.
 *
 * Threatens: what was stored after the backup, and everybody who has read it: other events get the numbers that readers
 * know. What is promised is that nothing is missing beyond that, that what Redis does not have any more is counted as lost,
 * and that readers are told, instead of passing over the new events in silence.
 */
import { execFile } from 'node:child_process'
import { rename, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { defineFault } from '../fault.ts'
import { partOf, restarted } from '../inject/parts.ts'
import type { Part } from '../targets/target.ts'

const execute = promisify(execFile)

export const restore = defineFault({
  name: 'restore',
  about: 'PostgreSQL is put back to a copy of its folder of up to 5 s before, under load, and Redis goes on',
  needs: ['processes', 'servers'],
  // With Redis's data gone as well nobody could know.
  alone: true,
  async run({ target: { processes, servers }, random, pause, destroys }, signal) {
    const postgres = await partOf(processes, 'postgres')
    const data = join(servers.postgresDir, 'data')
    const backup = join(servers.postgresDir, 'backup')
    const lost = join(servers.postgresDir, 'lost')
    await destroys('restore', async () => {
      await rm(backup, { recursive: true, force: true })
      // The folder of one moment: PostgreSQL recovers from it as from a power cut.
      await whileStopped(postgres, () => execute('cp', ['-a', data, backup]))
      await rm(join(backup, 'postmaster.pid'), { force: true })
      await pause(random.int(1_000, 5_000))
      await whileStopped(postgres, async (pids) => {
        await rename(data, lost)
        await rename(backup, data)
        await processes.signal(postgres, 'SIGKILL')
        for (const pid of pids) tell(pid, 'SIGKILL')
      })
    })
    await restarted(processes, postgres, signal)
    await rm(lost, { recursive: true, force: true })
  },
})

/** Runs `work` while neither the postmaster nor any of its children, whose ids it gets, does anything. */
async function whileStopped(
  { pid }: Part,
  work: (children: readonly number[]) => Promise<unknown>,
): Promise<void> {
  const stopped = [pid]
  try {
    tell(pid, 'SIGSTOP') // first: it has no more children then
    const children = await childrenOf(pid)
    for (const child of children) {
      stopped.push(child)
      tell(child, 'SIGSTOP')
    }
    await work(children)
  } finally {
    for (const one of stopped.reverse()) tell(one, 'SIGCONT')
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const { stdout } = await execute('ps', ['-o', 'pid=', '--ppid', String(pid)])
  return stdout.split('\n').filter(Boolean).map(Number)
}

function tell(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // it has ended
  }
}
