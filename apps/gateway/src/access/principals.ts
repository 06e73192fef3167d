/** Who sent a request, and what they may do: the door finds it out once, and handlers look it up. */
import type { IncomingMessage } from 'node:http'
import { everything, type Grant } from '@sekali/core/access'
import { forever, type Life } from './life.ts'
import { type Quota, unlimited } from './quota.ts'

export interface Principal {
  readonly grant: Grant
  readonly life: Life
  readonly quota: Quota
  /** What was shown; undefined of whoever shows nothing. */
  readonly kind?: 'key' | 'token' | 'session'
  /** When it ends, as far as is known now, in milliseconds since 1970; infinity if it does not. */
  readonly endsAtMs: () => number
  /** What the session is called, if a cookie has shown it. */
  readonly session?: string
}

const never = () => Number.POSITIVE_INFINITY

/** Whoever comes where no keys are asked for. */
const anyone: Principal = { grant: everything, life: forever, quota: unlimited, endsAtMs: never }

/** Whoever has not been let in. Where keys are asked for every request is theirs first, so that nothing is open by mistake. */
export const nobody: Principal = {
  grant: { holder: 'nobody', scopes: [], topics: [] },
  life: forever,
  quota: unlimited,
  endsAtMs: never,
}

const principal = Symbol('principal')

/** On the request itself: a WeakMap would cost the garbage collector work for every event. */
type Admitted = IncomingMessage & { [principal]?: Principal }

export const admitAs = (request: IncomingMessage, who: Principal): void => {
  ;(request as Admitted)[principal] = who
}

export const principalOf = (request: IncomingMessage | undefined): Principal =>
  (request as Admitted | undefined)?.[principal] ?? anyone

/** Whether the door has found out who sends it, or that nobody does. */
export const isMarked = (request: IncomingMessage | undefined): boolean =>
  (request as Admitted | undefined)?.[principal] !== undefined

export const grantOf = (request: IncomingMessage | undefined): Grant => principalOf(request).grant
