import { urlsOfHosts } from '@sekali/core/hosts'
import { triedAt } from '@sekali/core/tried'
import { knownTrouble } from '@sekali/core/trouble'

/** One of the places where PostgreSQL may be. */
export interface Host {
  /** With user, password and database. */
  readonly url: string
  /** Whether a connection pooler answers there, so that a session may be another one in each transaction. */
  isPooled: boolean
  /** What was the matter when it was last tried, in a word; undefined if it did what was needed. */
  said: string | undefined
}

/**
 * The hosts of DATABASE_URL. One of them is the primary; after a failover it is another. Connections are made to the
 * current one; where that is none, or no primary, the next one becomes current. Of DATABASE_READ_URL a standby will do.
 */
export interface Hosts {
  readonly all: readonly Host[]
  current: Host
  /** Whether a standby does as well as the primary. */
  readonly isAnyGood: boolean
  /**
   * What connections failed with, and whether the host is worth another one: a pooler has turned out to be there. Whatever
   * else a pool rejects with has another reason: that it is full, say.
   */
  readonly failures: WeakMap<Error, 'again' | 'leave'>
  /** Where it connects to and as whom, and what was the matter there, in words for a log. */
  readonly tried: string
}

export function hostsOf(url: string, isAnyGood = false): Hosts {
  // What is no URL is pg's to refuse, when it connects.
  const all = (urlsOfHosts(url) ?? [url]).map((one): Host => ({ url: one, isPooled: false, said: undefined }))
  return {
    all,
    current: all[0] as Host,
    isAnyGood,
    failures: new WeakMap(),
    get tried() {
      const said = all.length === 1 ? [] : all.map((host) => host.said)
      return triedAt(url, said)
    },
  }
}

/** Has the next connections made to the host that follows, unless others have left this one already. */
export function leaveHost(hosts: Hosts, host: Host, said: string): void {
  host.said = said
  if (hosts.current !== host) return
  hosts.current = hosts.all[(hosts.all.indexOf(host) + 1) % hosts.all.length] as Host
}

/** PostgreSQL answers, and is not what connections are made for. Its code is matched by the table of troubles. */
export class NoPrimary extends Error {
  readonly code: '25006' | 'NO_PRIMARY'

  constructor(code: '25006' | 'NO_PRIMARY', cause?: unknown) {
    super('no primary', { cause })
    this.code = code
  }
}

const isStandby = 'a standby'

/** What a connection failed with, in a word. */
export function wordOf(error: unknown): string {
  if (error instanceof NoPrimary) return isStandby
  return knownTrouble('PostgreSQL', error)?.code ?? 'no answer'
}
