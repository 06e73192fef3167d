import type { RateLimit } from '../clients/rate.ts'

/** How many topics there may be, and how many of them a client may make at once and each second. */
export interface TopicLimits {
  readonly max: number
  readonly rate: RateLimit
}

/** Unless settings say otherwise. A file of its own: settings are also read by those who start a gateway. */
export const topicLimits: TopicLimits = { max: 5_000, rate: { burst: 1_000, perSecond: 10 } }
