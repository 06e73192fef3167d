import type { ServerResponse } from 'node:http'
import { vi } from 'vitest'
import type { AnyPayload, StoredEvent } from '../src/answers.ts'
import { createWorker, type Job, type WorkOptions } from '../src/worker/worker.ts'
import { type Answer, json, type Peer, startPeer } from './peer.ts'
import { fast, stored } from './sample.ts'

interface Asked {
  readonly token: string
  readonly do: string
  readonly delay_s?: number
  readonly reason?: string
}

export interface JobsPeer extends Peer {
  /** What was settled, request after request. */
  readonly settles: Asked[][]
  /** How many events each pull wanted. */
  readonly pulls: number[]
  /** Adds events; a pull that waits gets them. */
  add(...seqs: number[]): void
}

interface Behaviour {
  readonly leaseSeconds?: number
  /** How a settle is answered; `done` if it is not said. */
  readonly result?: (item: Asked) => string
  /** What pulls are answered first, one after the other. */
  readonly first?: readonly Answer[]
}

/** An HTTP server that hands out these events as a gateway does: once each, and a pull waits while there are none. */
export async function startJobs(
  seqs: readonly number[],
  { leaseSeconds = 30, result = () => 'done', first = [] }: Behaviour = {},
): Promise<JobsPeer> {
  const rest = [...seqs]
  const settles: Asked[][] = []
  const pulls: number[] = []
  const before = [...first]
  let waiting: { readonly response: ServerResponse; readonly max: number } | undefined

  function handOut(): void {
    if (waiting === undefined || rest.length === 0) return
    const { response, max } = waiting
    waiting = undefined
    const items = rest.splice(0, max).map((seq) => ({ token: `t-${seq}`, attempt: 1, event: stored(seq) }))
    json(200, { items, lease_s: leaseSeconds, lease_until: '2026-01-01T00:00:00Z' })(
      response,
      undefined as never,
      '',
    )
  }

  const peer = await startPeer((response, request, body) => {
    const asked = JSON.parse(body)
    if (String(request.url).endsWith('/settle')) {
      settles.push(asked.items)
      const items = asked.items.map((item: Asked) => ({ token: item.token, result: result(item) }))
      return json(200, { items })(response, request, body)
    }
    pulls.push(asked.max)
    const answer = before.shift()
    if (answer !== undefined) return answer(response, request, body)
    waiting = { response, max: asked.max }
    response.on('close', () => {
      if (waiting?.response === response) waiting = undefined
    })
    handOut()
  })
  return {
    ...peer,
    settles,
    pulls,
    add(...more) {
      rest.push(...more)
      handOut()
    },
  }
}

/** What was settled, without the extensions: `ack t-1`. */
export const endings = ({ settles }: JobsPeer): string[] =>
  settles
    .flat()
    .filter(({ do: how }) => how !== 'extend')
    .map(({ do: how, token }) => `${how} ${token}`)

export const workerOf = ({ url }: Peer) => createWorker({ baseUrl: url, retry: fast })

export type AnyJob = Job<AnyPayload>
export type Options = WorkOptions<AnyPayload>
export const seqOf = ({ event }: { readonly event: StoredEvent }): number => event.seq

export const eventually = (check: () => void) => vi.waitFor(check, { timeout: 5_000, interval: 5 })

/** Resolves when it is told to. */
export const gate = () => Promise.withResolvers<void>()
