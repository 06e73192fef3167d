import type { Appender } from '@sekali/broker/append'
import type { Logger } from '@sekali/process/log'
import type { Tracing } from '@sekali/process/tracing'
import type { Budget } from '../clients/budget.ts'
import type { Clients } from '../clients/clients.ts'
import type { TimeSlices } from '../clients/time-slices.ts'
import type { Responses } from '../http/responses.ts'
import type { Pressure } from '../pressure/pressure.ts'
import type { AppendPortions } from './append-portions.ts'
import type { Patience } from './body-chunks.ts'
import type { NewTopics } from './new-topics.ts'
import type { Receipts } from './receipts.ts'

/** What every way to publish works with. */
export interface PublishDeps {
  readonly appender: Pick<Appender, 'append'>
  readonly portions: AppendPortions
  /** Bytes of bodies. */
  readonly budget: Budget
  /** Streams of lines that are open. */
  readonly streams: Budget
  readonly timeSlices: TimeSlices
  readonly patience?: Patience
  readonly clients: Clients
  readonly newTopics: NewTopics
  readonly pressure: Pick<Pressure, 'admit'>
  readonly receipts: Receipts
  /** What answers may take: receipts of a batch can be a megabyte. */
  readonly responses: Pick<Responses, 'count'>
  /** Hears how many events Redis has taken. */
  readonly onAccepted: (events: number) => void
  /** Gets how long it took from the whole body to the answer, in seconds, of what Redis has taken. */
  readonly onPublished: (form: 'event' | 'batch', seconds: number) => void
  /** Undefined where nobody traces. */
  readonly tracing: Tracing | undefined
  readonly log: Logger
  readonly random: () => number
}
