/**
 * What names lead to. The system's own look-up, getaddrinfo, has four threads for the whole process, and a name server that
 * does not answer keeps each of them for ten seconds and more: a few such names would keep all endpoints waiting. So name servers
 * are asked without threads, each name for itself, by the rules that getaddrinfo has:
 *
 *     /etc/hosts                 before any server
 *     localhost, *.localhost     this machine, and no server is asked (RFC 6761)
 *     /etc/resolv.conf           servers; `search` and `ndots` for names that are not whole, as in Kubernetes
 *
 * Nothing is kept beyond that: a name that leads elsewhere the next time is seen to.
 */
import { promises as dns, type LookupAddress } from 'node:dns'
import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'
import { dispatcherLimits as limits } from '../limits.ts'

/** Finds all addresses of a name. */
export type Resolve = (
  hostname: string,
  then: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void

const hostsFile = '/etc/hosts'
const resolvFile = '/etc/resolv.conf'

export function createNames(): Resolve {
  /** Of a name that many connections want at once one question is enough. */
  const asked = new Map<string, Promise<LookupAddress[]>>()
  const find = async (name: string): Promise<LookupAddress[]> => {
    const inHosts = hostIn(await textOf(hostsFile), name)
    if (inHosts.length > 0) return inHosts
    if (/(^|\.)localhost\.?$/.test(name)) return addressesOf(['127.0.0.1'])
    return await findByServers(name, await textOf(resolvFile))
  }
  return (hostname, then) => {
    const name = hostname.toLowerCase()
    const found = asked.get(name) ?? find(name).finally(() => asked.delete(name))
    asked.set(name, found)
    found.then(
      (addresses) => then(null, addresses),
      (error) => then(error, []),
    )
  }
}

const addressesOf = (texts: readonly string[]): LookupAddress[] =>
  texts.map((address) => ({ address, family: isIP(address) }))

/** What is not there says nothing. */
const textOf = (file: string): Promise<string> => readFile(file, 'utf8').catch(() => '')

const wordsOf = (line: string): string[] =>
  line
    .replace(/[#;].*/, '')
    .trim()
    .split(/\s+/)

function hostIn(text: string, name: string): LookupAddress[] {
  const bare = name.replace(/\.$/, '')
  const lines = text.split('\n').map(wordsOf)
  return addressesOf(
    lines.flatMap(([address = '', ...names]) =>
      isIP(address) !== 0 && names.some((one) => one.toLowerCase() === bare) ? [address] : [],
    ),
  )
}

/** Names to be asked for, in turn: what has no dots, or few, is looked for where this machine is before it is taken as it is. */
function candidatesOf(name: string, resolv: string): string[] {
  if (name.endsWith('.')) return [name]
  const lines = resolv.split('\n').map(wordsOf)
  const [, ...domains] = lines.findLast(([word = '']) => word === 'search' || word === 'domain') ?? []
  const ndots = Number(/^\s*options\s.*\bndots:(\d+)/m.exec(resolv)?.[1] ?? 1)
  const within = domains.filter((domain) => domain !== '.').map((domain) => `${name}.${domain}`)
  return name.split('.').length > ndots ? [name, ...within] : [...within, name]
}

/** The name servers say so: it, or its addresses of this kind, do not exist. */
const notThere = new Set<unknown>(['ENOTFOUND', 'ENODATA'])

async function findByServers(name: string, resolv: string): Promise<LookupAddress[]> {
  // A new one each time: it reads what servers there are.
  const resolver = new dns.Resolver({ timeout: limits.lookUpMs, tries: limits.lookUpTries })
  let hasFailed = false
  const deadline = setTimeout(() => {
    hasFailed = true
    resolver.cancel()
  }, limits.lookUpAllMs)
  try {
    for (const candidate of candidatesOf(name, resolv)) {
      const answers = await Promise.allSettled([resolver.resolve4(candidate), resolver.resolve6(candidate)])
      const found = answers.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
      if (found.length > 0) return addressesOf(found)
      // A domain of `search` that cannot be asked keeps no name from being asked for as it is.
      hasFailed ||= answers.some((one) => one.status === 'rejected' && !notThere.has(one.reason.code))
    }
  } finally {
    clearTimeout(deadline)
  }
  // With the server's own word a refusal of its would be taken for one of the endpoint.
  throw failed(name, hasFailed ? 'EAI_AGAIN' : 'ENOTFOUND')
}

const failed = (name: string, code: string): NodeJS.ErrnoException =>
  Object.assign(new Error(`${name} could not be looked up`), { code })
