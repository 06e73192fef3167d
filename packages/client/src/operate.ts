// The door '@sekali/client/operate', inside the clone and from npm: for operators, so that a page that publishes and reads
// does not load it.
export type { EpochsBegun, EpochsCount } from './operate/epochs.ts'
export type {
  Comparison,
  Letter,
  LetterContent,
  LetterFilter,
  LetterKind,
  LettersQuery,
  LetterWithContent,
  Settled,
} from './operate/letter.ts'
export type {
  Operation,
  OperationsQuery,
  RedriveCount,
  RedriveFilter,
  RedriveStart,
  WaitOptions,
} from './operate/operations.ts'
export { createOperator, type Operator } from './operate/operator.ts'
