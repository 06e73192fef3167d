/**
 * How dead letters and conflicts are named: `e-12` is an entry that could not become an event, `c-7` a conflict, `d-3` an
 * event that the workers of a subscription could not do.
 */

export const letterKinds = ['entry', 'conflict', 'delivery'] as const
export type LetterKind = (typeof letterKinds)[number]

export interface LetterId {
  readonly kind: LetterKind
  /** 1, 2, 3 … of its kind. */
  readonly number: number
}

export const letterIdText = ({ kind, number }: LetterId): string => `${kind[0]}-${number}`

export const letterIdRule = 'must be the id of a dead letter or of a conflict, such as e-12, c-7 or d-3'

/** `undefined` for what is no id of a letter. */
export function parseLetterId(text: string): LetterId | undefined {
  const [, initial, digits] = /^([ecd])-(0|[1-9]\d{0,14})$/.exec(text) ?? []
  const kind = letterKinds.find((one) => one[0] === initial)
  return kind === undefined ? undefined : { kind, number: Number(digits) }
}

/** A place in the list, which has all kinds: what is listed behind it has a smaller number of its kind. */
export type LettersCursor = Readonly<Partial<Record<LetterKind, number>>>

export const lettersCursorText = (cursor: LettersCursor): string =>
  letterKinds
    .flatMap((kind) => {
      const number = cursor[kind]
      return number === undefined ? [] : [letterIdText({ kind, number })]
    })
    .join(',')

/** `undefined` for what is no such place: ids, one of each kind at most, with a comma between them. */
export function parseLettersCursor(text: string): LettersCursor | undefined {
  const cursor: Partial<Record<LetterKind, number>> = {}
  for (const part of text.split(',')) {
    const id = parseLetterId(part)
    if (id === undefined || cursor[id.kind] !== undefined) return undefined
    cursor[id.kind] = id.number
  }
  return cursor
}
