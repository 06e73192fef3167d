/**
 * REDIS_URL where Sentinels say which Redis is the primary:
 *
 *     redis+sentinel://user:password@s1:26379,s2:26379,s3:26379/main?sentinel_user=u&sentinel_password=p
 *
 * User and password are Redis's, those behind `?` the Sentinels' own, and `main` is the name by which they know the primary.
 * With `rediss+sentinel://` both are asked over TLS. Several hosts make it no URL for `new URL`.
 */
export interface SentinelUrl {
  readonly sentinels: readonly SentinelHost[]
  readonly name: string
  readonly isTls: boolean
  readonly redis: Login
  readonly sentinel: Login
}

export interface SentinelHost {
  readonly host: string
  readonly port: number
}

export interface Login {
  readonly username?: string
  readonly password?: string
}

const scheme = /^rediss?\+sentinel:/
const beginning = /^redis(s?)\+sentinel:\/\//
const usualPort = 26_379
/** The characters that Sentinel allows. */
const nameForm = /^[\w.-]+$/
const hostForm = /^(?:\[([\da-f:.]+)\]|([^\s:[\]@/?#]+))(?::(\d{1,5}))?$/i

export const isSentinelUrl = (url: string): boolean => scheme.test(url)

/** What the URL says, or in words what is wrong with it. The words quote nothing: it may hold passwords. */
export function parseSentinelUrl(url: string): SentinelUrl | string {
  const [begun = '', secure] = beginning.exec(url) ?? []
  const [before = '', ...query] = url.slice(begun.length).split('?')
  const slash = before.lastIndexOf('/')
  const name = before.slice(slash + 1)
  if (begun === '' || slash === -1 || !nameForm.test(name)) {
    return 'must end with the name by which the Sentinels know the primary: redis+sentinel://HOST:PORT,HOST:PORT/NAME'
  }
  const at = before.lastIndexOf('@', slash)
  const sentinels = before
    .slice(at + 1, slash)
    .split(',')
    .map(parseHost)
  if (!sentinels.every((one) => one !== undefined)) {
    return 'must name the Sentinels as HOST:PORT, with commas between them and nothing else'
  }
  const redis = parseLogin(before.slice(0, Math.max(at, 0)))
  const sentinel = parseSentinelLogin(query.join('?'))
  if (redis === undefined || sentinel === undefined) {
    return 'has a user or password that is not escaped: % is %25, @ is %40, : is %3A, / is %2F, & is %26'
  }
  if (typeof sentinel === 'string') return sentinel
  return { sentinels, name, isTls: secure === 's', redis, sentinel }
}

function parseHost(text: string): SentinelHost | undefined {
  const [, address, host = address, port = usualPort] = hostForm.exec(text) ?? []
  const isPort = Number(port) >= 1 && Number(port) <= 65_535
  return host === undefined || !isPort ? undefined : { host, port: Number(port) }
}

function parseLogin(text: string): Login | undefined {
  if (text === '') return {}
  const [user = '', password = '', ...more] = text.split(':')
  return more.length > 0 ? undefined : decoded(user, password)
}

function parseSentinelLogin(query: string): Login | string | undefined {
  const {
    sentinel_user = '',
    sentinel_password = '',
    ...more
  } = Object.fromEntries(
    query.split('&').flatMap((one) => (one === '' ? [] : [one.split(/=(.*)/s).slice(0, 2)])),
  ) as Record<string, string | undefined>
  if (Object.keys(more).length > 0)
    return 'takes sentinel_user and sentinel_password behind ?, and nothing else'
  if (sentinel_user !== '' && sentinel_password === '') return 'has a sentinel_user and no sentinel_password'
  return decoded(sentinel_user, sentinel_password)
}

/** Redis's `default` user needs no name. */
function decoded(user: string, password: string): Login | undefined {
  try {
    return {
      ...(user !== '' && { username: decodeURIComponent(user) }),
      ...((user !== '' || password !== '') && { password: decodeURIComponent(password) }),
    }
  } catch {
    return undefined // a per cent sign that was not escaped
  }
}
