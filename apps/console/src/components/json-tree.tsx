import { isLosslessNumber, parse } from 'lossless-json'
import { useMemo, useState } from 'preact/hooks'
import { visible } from '../text/visible.ts'
import { plural } from '../text/words.ts'

/** Members shown at once; a payload of 256 KiB can have a hundred thousand. */
const membersMax = 200
const openDepth = 3

/** JSON text as a tree. Numbers are shown as they were sent, to the last digit. */
export function JsonTree({ text, label }: { text: string; label: string }) {
  const value = useMemo(() => parsed(text), [text])
  if (value === notJson) return <pre class="raw">{visible(text)}</pre>
  return (
    <section class="tree mono" aria-label={label}>
      <Node value={value} depth={0} />
    </section>
  )
}

const notJson = Symbol('no JSON')

function parsed(text: string): unknown {
  try {
    // Of a key that is there twice the last one counts, as for JSON.parse; the raw text shows both.
    return parse(text, undefined, { onDuplicateKey: ({ newValue }) => newValue })
  } catch {
    return notJson
  }
}

function Node({ value, name, depth }: { value: unknown; name?: string | undefined; depth: number }) {
  const members = membersOf(value)
  if (members === undefined || members.length === 0) {
    return (
      <div class="tree-leaf">
        <Name name={name} />
        <Scalar value={value} />
      </div>
    )
  }
  const isArray = Array.isArray(value)
  return (
    <Branch
      depth={depth}
      name={name}
      words={isArray ? `[ ${plural(members.length, 'item')} ]` : `{ ${plural(members.length, 'field')} }`}
      members={members}
    />
  )
}

interface BranchProps {
  readonly name: string | undefined
  readonly depth: number
  readonly words: string
  readonly members: readonly (readonly [string, unknown])[]
}

function Branch({ name, depth, words, members }: BranchProps) {
  const [isOpen, setOpen] = useState(depth < openDepth)
  const [max, setMax] = useState(membersMax)
  return (
    <details open={isOpen} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Name name={name} />
        <span class="tree-words">{words}</span>
      </summary>
      {isOpen && (
        <div class="tree-members">
          {members.slice(0, max).map(([key, member]) => (
            <Node key={key} name={key} value={member} depth={depth + 1} />
          ))}
          {members.length > max && (
            <button type="button" class="button quiet" onClick={() => setMax(max + membersMax)}>
              {plural(members.length - max, 'more', 'more')}
            </button>
          )}
        </div>
      )}
    </details>
  )
}

function membersOf(value: unknown): readonly (readonly [string, unknown])[] | undefined {
  if (Array.isArray(value)) return value.map((member, at) => [String(at), member])
  if (typeof value === 'object' && value !== null && !isLosslessNumber(value)) return Object.entries(value)
  return undefined
}

const Name = ({ name }: { name: string | undefined }) =>
  name === undefined ? null : <bdi class="tree-name">{visible(name)}:</bdi>

function Scalar({ value }: { value: unknown }) {
  if (isLosslessNumber(value)) return <span class="tree-number">{value.value}</span>
  if (typeof value === 'string') return <bdi class="tree-string">{visible(JSON.stringify(value))}</bdi>
  return <span class="tree-word">{value === null ? 'null' : JSON.stringify(value)}</span>
}
