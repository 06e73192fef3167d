import { programs } from '../command/repository.ts'
import { runApp } from './app-process.ts'

/** After so long without an answer people are told what is waited for. */
const sayMs = 5_000

/** Servers of somebody else's, to be used instead of our own. */
export interface GivenServers {
  readonly databaseUrl?: string | undefined
  readonly redisUrl?: string | undefined
}

/** Looks at the servers that are given before anything is started. Throws `ServerFailed`, with what is wrong with them. */
export async function checkGivenServers(
  { databaseUrl, redisUrl }: GivenServers,
  logDir: string,
  say: (part: string, what: string) => void,
  signal?: AbortSignal,
): Promise<void> {
  const env = {
    ...(databaseUrl !== undefined && { DATABASE_URL: databaseUrl }),
    ...(redisUrl !== undefined && { REDIS_URL: redisUrl }),
  }
  const names = Object.keys(env)
  if (names.length === 0) return
  const verb = names.length === 1 ? 'names' : 'name'
  say('what', `${names.join(' and ')} ${verb} is looked at`)
  const because = (words: string) => `Nothing was started.\n${words.replace('ended by an error: ', '')}`
  const waiting = setTimeout(say, sayMs, 'what', `${names.join(' and ')} ${verb} is still waited for`)
  try {
    await runApp({ name: 'preflight', program: programs.preflight, logDir, env, because }, signal)
  } finally {
    clearTimeout(waiting)
  }
}
