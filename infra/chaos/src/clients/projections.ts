// Projections as they are read over HTTP, live and folded anew from the first event.
import { patiently, until } from '../clock.ts'
import type { Door } from './door.ts'

/** Each projection's keys and states as one text. */
export type Projected = ReadonlyMap<string, string>

export interface Projections {
  /** Why they could not be compared, in words. */
  readonly failure?: string
  readonly live: Projected
  readonly rebuilt: Projected
}

interface Status {
  readonly name: string
  readonly status: string
  readonly lag: number | null
  readonly rebuild: unknown
}

const settleMs = 60_000

/** Says so when there are none, when they do not come to rest, or do not answer. */
export async function readProjections(door: Door): Promise<Projections> {
  return await patiently(() => compare(door)).catch((error: Error) => ({
    failure: error.message.slice(0, failureCharsMax),
    live: new Map(),
    rebuilt: new Map(),
  }))
}

const failureCharsMax = 300

/** Rejects when there are none, when they do not come to rest, or do not answer. */
async function compare(door: Door): Promise<Projections> {
  const names = (await settled(door)).map(({ name }) => name)
  const live = await readAll(door, names)
  for (const name of names) {
    await expectStatus(202, 'a rebuild', await door.post(`/projections/${name}/rebuild`, ''))
  }
  await settled(door)
  return { live, rebuilt: await readAll(door, names) }
}

/** Waits until there are projections, every one has folded everything and none is being built. */
async function settled(door: Door): Promise<readonly Status[]> {
  let found: Status[] = []
  const isSettled = async () => {
    found = JSON.parse(await read(door, '/projections')) as Status[]
    const isAtRest = ({ status, lag, rebuild }: Status) => status === 'live' && lag === 0 && !rebuild
    return found.length > 0 && found.every(isAtRest)
  }
  if (!(await until(isSettled, settleMs)))
    throw new Error(`projections do not settle: ${JSON.stringify(found)}`)
  return found
}

async function readAll(door: Door, names: readonly string[]): Promise<Projected> {
  const all = new Map<string, string>()
  for (const name of names) {
    const states: unknown[] = []
    let path: string | undefined = `/projections/${name}?limit=1000`
    while (path !== undefined) {
      const page = JSON.parse(await read(door, path)) as { keys?: unknown[]; state?: unknown; next?: string }
      states.push(...(page.keys ?? [page.state]))
      path =
        page.next === undefined
          ? undefined
          : `/projections/${name}?limit=1000&after=${encodeURIComponent(page.next)}`
    }
    all.set(name, JSON.stringify(states))
  }
  return all
}

async function read(door: Door, path: string): Promise<string> {
  const answer = await door.get(path)
  await expectStatus(200, path, answer)
  return answer.body
}

async function expectStatus(
  wanted: number,
  what: string,
  { status, body }: { status: number; body: string },
): Promise<void> {
  if (status !== wanted) throw new Error(`${what} was answered ${status}: ${body.slice(0, 200)}`)
}
