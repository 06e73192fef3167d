/** In what two JSON texts differ, line by line, as people read it. */
import { diffArrays } from 'diff'
import { type JsonLine, jsonLines, lineText, spaced, tokensOf } from './json-lines.ts'

interface Part {
  readonly text: string
  /** Whether the other text has it differently. */
  readonly isChanged: boolean
}

export interface ComparedLine {
  readonly kind: 'same' | 'removed' | 'added'
  readonly depth: number
  readonly parts: readonly Part[]
}

/** Lines that may differ: the work grows with their square, so two texts of 256 KiB could take minutes. */
const editsMax = 2_000

/** The lines of both texts, those of the first before those of the second; undefined if too much differs. */
export function compareJson(before: string, after: string): readonly ComparedLine[] | undefined {
  const [ofBefore, ofAfter] = [jsonLines(before), jsonLines(after)]
  const changes = diffArrays(ofBefore, ofAfter, { comparator: isSame, maxEditLength: editsMax })
  if (changes === undefined) return undefined
  const lines: ComparedLine[] = []
  for (const [at, { value, added, removed }] of changes.entries()) {
    const next = changes[at + 1]
    if (removed && next?.added) lines.push(...marked(value, next.value))
    else if (added && changes[at - 1]?.removed) continue
    else lines.push(...value.map((line) => whole(line, added ? 'added' : removed ? 'removed' : 'same')))
  }
  return lines
}

/** The comma behind a member says only that another follows. */
const isSame = (one: JsonLine, other: JsonLine): boolean => withoutComma(one) === withoutComma(other)

const withoutComma = (line: JsonLine): string => lineText(line).replace(/,$/, '')

const whole = ({ depth, tokens }: JsonLine, kind: ComparedLine['kind']): ComparedLine => ({
  kind,
  depth,
  parts: [{ text: tokens.map(spaced).join(''), isChanged: false }],
})

/** Lines that took the place of others: within each pair of lines only what differs is marked. */
function marked(removed: readonly JsonLine[], added: readonly JsonLine[]): ComparedLine[] {
  const pairs = removed.map((line, at) => [line, added[at]] as const)
  return [
    ...pairs.map(([line, other]) => withMarks(line, other, 'removed')),
    ...added.map((line, at) => withMarks(line, removed[at], 'added')),
  ]
}

function withMarks(line: JsonLine, other: JsonLine | undefined, kind: 'removed' | 'added'): ComparedLine {
  if (other === undefined || keyOf(line) !== keyOf(other)) return whole(line, kind)
  const parts = diffArrays([...line.tokens], [...other.tokens])
    .filter(({ added }) => !added)
    .map(({ value, removed }) => ({ text: value.map(spaced).join(''), isChanged: removed === true }))
  return { kind, depth: line.depth, parts }
}

/** Lines of one member are worth comparing. */
const keyOf = ({ tokens }: JsonLine): string | undefined => (tokens[1] === ':' ? tokens[0] : undefined)

/**
 * How two payloads that are equal as JSON can still differ in their bytes: `keys` in another order, `numbers` or strings
 * that are written in another way, or white space, `blanks`.
 */
export function waysToDiffer(one: string, other: string): 'keys' | 'numbers' | 'blanks' {
  const [first, second] = [tokensOf(one), tokensOf(other)]
  if (first.length === second.length && first.every((token, at) => token === second[at])) return 'blanks'
  const keys = (tokens: readonly string[]) => tokens.filter((_, at) => tokens[at + 1] === ':').join()
  return keys(first) === keys(second) ? 'numbers' : 'keys'
}
