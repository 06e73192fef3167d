import type { RouteId } from '@sekali/api/routes'
import type { Bounded } from '../http/bounded.ts'
import type { Handler } from '../http/router.ts'
import type { LetterDeps } from './deps.ts'
import { cancel, listAll, showOne } from './operations.ts'
import { list, show } from './read.ts'
import { redrive } from './redrive.ts'
import { discard, publishAs } from './settle.ts'

type LetterRoute = Extract<
  RouteId,
  | 'listLetters'
  | 'readLetter'
  | 'redrive'
  | 'discardLetter'
  | 'publishAs'
  | 'listOperations'
  | 'readOperation'
  | 'cancelOperation'
>

/** All about dead letters and operations, with a share of PostgreSQL for each client. */
export function letterHandlersOf(
  deps: LetterDeps & Bounded,
): Record<LetterRoute, { readonly handler: Handler }> {
  const { counted } = deps.responses
  const { slotted } = deps.slots
  return {
    listLetters: { handler: counted(slotted(list(deps))) },
    readLetter: { handler: counted(slotted(show(deps))) },
    redrive: { handler: slotted(redrive(deps)) },
    discardLetter: { handler: slotted(discard(deps)) },
    publishAs: { handler: slotted(publishAs(deps)) },
    listOperations: { handler: counted(slotted(listAll(deps))) },
    readOperation: { handler: slotted(showOne(deps)) },
    cancelOperation: { handler: slotted(cancel(deps)) },
  }
}
