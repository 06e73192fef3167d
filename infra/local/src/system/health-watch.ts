/** Asks the apps how they are, and says what has come to be wrong, and once that it is over. */
import { waitUntil } from '@sekali/servers/wait-until'

interface Watched {
  readonly name: string
  /** Where it answers /readyz; null until that is known. */
  readonly health: string | null
}

const everyMs = 3_000
/** Longer than an app takes for its answer. */
const answerMs = 2_000
const readyMs = 10_000

/** Why one is not ready; none if it is. */
async function problemsOf({ health }: Watched): Promise<readonly string[]> {
  if (health === null) return ['it has not said yet where it answers']
  try {
    const response = await fetch(`${health}/readyz`, { signal: AbortSignal.timeout(answerMs) })
    const { status, problems } = (await response.json()) as { status: string; problems: readonly string[] }
    return response.ok ? [] : problems.length > 0 ? problems : [`it is ${status}`]
  } catch {
    return ['it does not answer']
  }
}

/** Waits until all are ready, or for some seconds: what is wrong then, the watch says. */
export async function waitForHealth(watched: () => readonly Watched[], signal?: AbortSignal): Promise<void> {
  const areReady = async () => {
    const problems = await Promise.all(watched().map(problemsOf))
    return problems.every((one) => one.length === 0)
  }
  await waitUntil(areReady, readyMs, { signal, stepMs: 50 })
}

/** Disposing ends the watch. A problem is said when it is seen twice in a row: what restarts is none. */
export function watchHealth(
  watched: () => readonly Watched[],
  say: (part: string, what: string) => void,
  intervalMs = everyMs,
): Disposable {
  let seen = new Set<string>()
  let said = new Map<string, string>()
  let isLooking = false
  const look = async () => {
    if (isLooking) return
    isLooking = true
    const found = await findProblems(watched())
    for (const [problem, names] of found) {
      if (!seen.has(problem) || said.has(problem)) continue
      say(names.join(', '), `${names.length === 1 ? 'is' : 'are'} not ready: ${problem}`)
      said.set(problem, names.join(', '))
    }
    for (const [problem, names] of said) {
      if (!found.has(problem)) say(names, `${names.includes(',') ? 'are' : 'is'} past that: ${problem}`)
    }
    said = new Map([...said].filter(([problem]) => found.has(problem)))
    seen = new Set(found.keys())
    isLooking = false
  }
  const looking = setInterval(() => void look(), intervalMs).unref()
  return { [Symbol.dispose]: () => clearInterval(looking) }
}

/** Which of them have a problem, by its words: one that all have is said once. */
async function findProblems(watched: readonly Watched[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  const all = await Promise.all(watched.map(async (one) => ({ ...one, problems: await problemsOf(one) })))
  for (const { name, problems } of all) {
    for (const problem of problems) found.set(problem, [...(found.get(problem) ?? []), name])
  }
  return found
}
