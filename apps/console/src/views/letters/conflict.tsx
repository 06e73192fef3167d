/** Both contents of a conflict, and in what they differ. */
import { useMemo, useState } from 'preact/hooks'
import { Banner, Button, Card } from '../../components/basics.tsx'
import { Name } from '../../components/name.tsx'
import { type ComparedLine, compareJson, waysToDiffer } from '../../text/compare.ts'
import { visible } from '../../text/visible.ts'
import { listText, plural } from '../../text/words.ts'
import { EventContent, NothingKept } from './content.tsx'
import type { Content, LetterWithContent } from './letter.ts'

export function ConflictContent({ letter }: { letter: LetterWithContent }) {
  const { received, stored, differs = [], same_json = false } = letter
  if (received === undefined || stored === undefined) return <NothingKept />
  return (
    <>
      <Verdict
        stored={stored}
        received={received}
        differs={differs}
        isSameJson={same_json}
        isSettled={letter.state === 'settled'}
      />
      <Card title="What differs">
        <dl class="differs">
          {(['timestamp', 'source'] as const).map((name) => (
            <Scalar key={name} name={name} before={stored[name]} after={received[name]} />
          ))}
        </dl>
        {differs.includes('payload') ? (
          <PayloadDiff before={stored.payload} after={received.payload} />
        ) : (
          <p class="faint">The payload is the same, byte for byte.</p>
        )}
      </Card>
      <div class="columns">
        <EventContent title="In the log" content={stored} />
        <EventContent title="What came later" content={received} />
      </div>
    </>
  )
}

interface VerdictProps {
  readonly stored: Content
  readonly received: Content
  readonly differs: readonly string[]
  readonly isSameJson: boolean
  readonly isSettled: boolean
}

const ways = {
  keys: 'Equal as JSON, keys in another order',
  numbers: 'Equal as JSON, numbers or strings written in another way',
  blanks: 'Equal as JSON, white space differs',
}

const differWords = (names: readonly string[]): string =>
  `the ${listText(names)} ${names.length === 1 ? 'differs' : 'differ'}`

/** What it means, before any detail. */
function Verdict({ stored, received, differs, isSameJson, isSettled }: VerdictProps) {
  if (!differs.includes('payload') || !isSameJson) {
    return (
      <Banner
        tone={isSettled ? 'unknown' : 'warning'}
        title={`The id was used twice: ${differWords(differs)}`}
      >
        The log keeps what came first.{' '}
        {isSettled
          ? 'Somebody has settled this: nothing is left to do.'
          : 'If both should be there, publish the second as another event.'}
      </Banner>
    )
  }
  const others = differs.filter((name) => name !== 'payload')
  return (
    <Banner tone="ok" title={ways[waysToDiffer(stored.payload, received.payload)]}>
      {others.length === 0
        ? 'Nothing is missing in the log. The publisher writes its payloads anew for each try.'
        : `The payload says the same; ${differWords(others)}.`}
    </Banner>
  )
}

function Scalar({ name, before, after }: { name: string; before: string; after: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd class="mono">
        {before === after ? (
          <Name of={before} />
        ) : (
          <>
            <del>
              <span class="unseen">in the log: </span>
              <Name of={before} />
            </del>{' '}
            <ins>
              <span class="unseen">came later: </span>
              <Name of={after} />
            </ins>
          </>
        )}
      </dd>
    </div>
  )
}

/** Equal lines that are shown around what differs. */
const contextLines = 3

function PayloadDiff({ before, after }: { before: string; after: string }) {
  const lines = useMemo(() => compareJson(before, after), [before, after])
  const [isWhole, setWhole] = useState(false)
  if (lines === undefined) return <p class="faint">Too much differs to be shown line by line.</p>
  if (lines.every(({ kind }) => kind === 'same')) {
    return <p class="faint">The payloads differ in white space alone.</p>
  }
  const shown = isWhole ? lines.map((_, at) => at) : nearChanges(lines)
  const left = lines.length - shown.length
  return (
    <>
      <p class="diff-key">
        <del>− in the log</del> <ins>+ came later</ins>
      </p>
      <section class="diff mono" aria-label="Payloads, line by line">
        {shown.map((at, index) => (
          <DiffLine key={at} line={lines[at]} isAfterGap={at !== (shown[index - 1] ?? -1) + 1} />
        ))}
      </section>
      {left > 0 && (
        <Button kind="quiet" onClick={() => setWhole(true)}>
          Show {plural(left, 'equal line')}
        </Button>
      )}
    </>
  )
}

const nearChanges = (lines: readonly ComparedLine[]): number[] => {
  const near = new Set<number>()
  for (const [at, { kind }] of lines.entries()) {
    if (kind === 'same') continue
    for (let to = at - contextLines; to <= at + contextLines; to++) near.add(to)
  }
  return lines.flatMap((_, at) => (near.has(at) ? [at] : []))
}

function DiffLine({ line, isAfterGap }: { line: ComparedLine | undefined; isAfterGap: boolean }) {
  if (line === undefined) return null
  const { kind, depth, parts } = line
  const Line = kind === 'removed' ? 'del' : kind === 'added' ? 'ins' : 'span'
  return (
    <>
      {isAfterGap && <span class="diff-gap">⋯</span>}
      <Line class="diff-line">
        <span aria-hidden="true">{kind === 'removed' ? '− ' : kind === 'added' ? '+ ' : '  '}</span>
        {'  '.repeat(depth)}
        <bdi>
          {parts.map(({ text, isChanged }, at) => {
            const key = `${at}`
            return isChanged ? <mark key={key}>{visible(text)}</mark> : <span key={key}>{visible(text)}</span>
          })}
        </bdi>
      </Line>
    </>
  )
}
