import type { ComponentChildren } from 'preact'
import type { Tone } from './basics.tsx'

export interface Fact {
  readonly label: string
  readonly value: ComponentChildren
  /** Below it, smaller. */
  readonly note?: ComponentChildren
  readonly tone?: Tone | undefined
  /** A view that shows what it is about. */
  readonly href?: string
}

/** Figures with their names, large enough to be read from afar. */
export function Facts({ facts, label }: { facts: readonly Fact[]; label: string }) {
  return (
    <dl class="facts" aria-label={label}>
      {facts.map(({ label, value, note, tone, href }) => (
        <div key={label} class={`fact ${tone ? `tone-${tone}` : ''}`}>
          <dt>{href ? <a href={href}>{label}</a> : label}</dt>
          <dd>
            <span class="fact-value">{value}</span>
            {note && <span class="fact-note">{note}</span>}
          </dd>
        </div>
      ))}
    </dl>
  )
}

type Detail = readonly [name: string, value: ComponentChildren]

/** Names and values, one a line; a row that is `false` is left out. */
export function Details({ rows }: { rows: readonly (Detail | false)[] }) {
  const shown = rows.filter((row) => row !== false)
  return (
    <dl class="details">
      {shown.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  )
}
