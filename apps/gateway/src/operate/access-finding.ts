import { isIP } from 'node:net'
import { type Finding, ok, problem, unknown, warning } from '@sekali/core/finding'
import { type AuthMode, isLoopback } from '@sekali/process/auth'

const check = 'access.auth'

export const waysOut =
  'start with SEKALI_AUTH=keys, or with SEKALI_AUTH=off-on-purpose if something in front asks who comes'

/**
 * Whether nobody is asked for a key by mistake: who has made keys means them to be asked for, and who names a proxy lets
 * others come through it. `liveKeys` is undefined if PostgreSQL does not say how many there are.
 */
export function accessFinding(
  auth: AuthMode,
  liveKeys: number | undefined,
  proxy: string | undefined,
): Finding {
  if (auth === 'keys') return ok(check, 'whoever comes is asked for a key')
  if (auth === 'off-on-purpose') return ok(check, 'nobody is asked for a key, on purpose')
  if (liveKeys !== undefined && liveKeys > 0) {
    const keys = liveKeys === 1 ? '1 live key' : `${liveKeys} live keys`
    return problem(check, `${keys}, and nobody is asked for one: anyone may read and publish all`, waysOut)
  }
  if (proxy !== undefined) return warning(check, nobodyAsked(proxy), waysOut)
  if (liveKeys === undefined) return unknown(check, 'PostgreSQL does not say how many keys there are')
  return ok(check, 'nobody is asked for a key, and there is none')
}

export const nobodyAsked = (proxy: string): string =>
  `nobody is asked for a key, and ${proxy} lets others come in through a proxy`

/** The setting that shows that others come in through a proxy, if there is one; `hosts` as a gateway's options have it. */
export function proxySetting(options: {
  readonly hosts?: readonly string[] | undefined
  readonly trustedProxies?: readonly string[] | undefined
}): string | undefined {
  if ((options.trustedProxies ?? []).length > 0) return 'TRUSTED_PROXIES'
  // A name without a dot is one of containers among themselves.
  const isPublic = (host: string) => host.includes('.') && isIP(host) === 0 && !isLoopback(host)
  return (options.hosts ?? []).some(isPublic) ? 'HOSTS' : undefined
}
