import type { Responses } from './responses.ts'
import type { Handler } from './router.ts'

/** What bounds handlers: bytes of answers in memory, and each client's share of PostgreSQL. */
export interface Bounded {
  readonly responses: Pick<Responses, 'counted'>
  readonly slots: { slotted(handler: Handler): Handler }
}
