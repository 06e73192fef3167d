// The worker groups of a run, beside its publishers and readers, from before the first fault until all is settled.
import { temporaryFolder } from '@sekali/servers/temporary-folder'
import type { GroupEvidence } from '../check/evidence.ts'
import { readDead, readLag, startFloorLooks } from '../check/group-state.ts'
import type { OpenBooks } from '../clients/books.ts'
import type { Door } from '../clients/door.ts'
import { patiently, until } from '../clock.ts'
import type { Target } from '../targets/target.ts'
import { plansOf } from '../workers/plan.ts'
import { startWorkers, type Workers } from '../workers/workers.ts'

export interface Groups extends AsyncDisposable {
  readonly workers: Workers
  /**
   * Kills all workers at once, so that PostgreSQL is asked what is unsettled when much is; others follow and work until
   * nothing is left. The log must have drained before. Answers that nobody deserves go into the books.
   */
  finish(books: Pick<OpenBooks, 'surprise'>): Promise<GroupEvidence>
}

interface GroupsOptions {
  readonly seed: number
  readonly pattern: string
  readonly sources: number
}

/** How many processes work, each for all groups. */
const size = 3

export async function startGroups(
  { seed, pattern, sources }: GroupsOptions,
  target: Target,
  door: Door,
): Promise<Groups> {
  await using parts = new AsyncDisposableStack()
  const { path: dir } = parts.use(await temporaryFolder('sekali-chaos-workers-'))
  const plans = plansOf(pattern, sources)
  for (const { name, config } of plans) await patiently(() => subscribe(door, name, config))
  const { url, keyNow, sql } = target
  const workers = parts.use(startWorkers({ size, url, seed, plans, keyNow, dir }))
  const looks = sql && startFloorLooks(sql, plans)
  parts.defer(async () => void (await looks?.finish()))
  const opened = parts.move()
  return {
    workers,
    finish: async (books) => {
      await workers.cut()
      const since = performance.now()
      workers.resume()
      let left = 'nothing could be asked'
      const isSettled = async () => {
        const lags = await Promise.all(plans.map((plan) => readLag(door, plan)))
        left = plans.map(({ name }, at) => `${lags[at]} of ${name}`).join(', ')
        return lags.every((lag) => lag === 0)
      }
      const msMax = target.recoveryMsMax
      // Waits longer than it may take, so that what comes late is told from what never comes.
      const settled = await until(isSettled, 2 * msMax)
      const drain = { ms: settled ? performance.now() - since : undefined, msMax, left }
      const notes = await workers.finish()
      for (const note of [...notes.values()].flat()) if (note.kind === 'surprised') books.surprise(note.what)
      const dead = await Promise.all(
        plans.map(async (plan) => [plan.name, await patiently(() => readDead(door, plan))] as const),
      )
      return { plans, notes, dead: new Map(dead), floors: await looks?.finish(), drain }
    },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  }
}

/** Where there are no groups. */
export const nobody: Pick<Workers, 'members' | 'start'> = {
  members: () => [],
  start: () => {
    throw new Error('there are no workers in this run')
  },
}

async function subscribe(door: Door, name: string, config: object): Promise<void> {
  const { status, body } = await door.put(`/subscriptions/${name}`, JSON.stringify(config))
  if (status !== 201 && status !== 200)
    throw new Error(`PUT /subscriptions/${name} was answered ${status}: ${body.slice(0, 200)}`)
}
