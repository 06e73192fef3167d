import { urlsOfHosts } from './hosts.ts'
import { isSentinelUrl, parseSentinelUrl } from './sentinel-url.ts'

const usualPort: Readonly<Record<string, string>> = {
  'postgres:': '5432',
  'postgresql:': '5432',
  'redis:': '6379',
  'rediss:': '6379',
}

/**
 * Whom a server's URL makes us there, and where that is, for logs: "Tried user sekali, database sekali, at db:5432". Never the
 * password, nor what follows the path, where there may be another. Empty if the text is no URL. `said` is what was the matter
 * with each host, where something was.
 */
export function triedAt(url: string, said: readonly (string | undefined)[] = []): string {
  if (isSentinelUrl(url)) return triedSentinels(url)
  const [first, ...others] = urlsOfHosts(url) ?? []
  if (first === undefined) return ''
  const { username, pathname } = new URL(first)
  const database = pathname.slice(1)
  const hosts = [first, ...others].map((one, index) => {
    return said[index] === undefined ? hostOf(one) : `${hostOf(one)} (${said[index]})`
  })
  const parts = [
    username !== '' && `user ${plain(username)}`,
    database !== '' && `database ${plain(database)}`,
    hosts[0] !== '' && `at ${hosts.join(', ')}`,
  ]
  const words = parts.filter((part) => part !== false)
  return words.length === 0 ? '' : `Tried ${words.join(', ')}`
}

function hostOf(url: string): string {
  const { protocol, hostname, port } = new URL(url)
  return hostname === '' ? '' : `${hostname}:${port || (usualPort[protocol] ?? '')}`
}

function triedSentinels(url: string): string {
  const parsed = parseSentinelUrl(url)
  if (typeof parsed === 'string') return ''
  const { name, redis, sentinels } = parsed
  const user = redis.username === undefined ? '' : `user ${redis.username}, `
  const hosts = sentinels.map(({ host, port }) => `${host}:${port}`)
  return `Tried ${user}primary ${name} of the Sentinels at ${hosts.join(', ')}`
}

function plain(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text // a per cent sign that was not escaped
  }
}
