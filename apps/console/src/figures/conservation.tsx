import type { Figures } from '@sekali/client'
import { outcomeNames, sum } from '@sekali/core/figures'
import { Fragment } from 'preact'
import { Badge, Card } from '../components/basics.tsx'
import { awaySince } from '../http/current.ts'
import { countText } from '../text/words.ts'

const parts = [...outcomeNames, 'in_flight'] as const

/** Whether what came of everything comes to what was accepted. */
function balanceOf(figures: Figures): 'adds up' | 'does not add up' | 'unknown' {
  const total = sum(parts.map((name) => figures[name]))
  if (figures.accepted === null || total === null) return 'unknown'
  return total === figures.accepted ? 'adds up' : 'does not add up'
}

const tones = { 'adds up': 'ok', 'does not add up': 'problem', unknown: 'unknown' } as const

/** The conservation sum as an equation. */
export function Conservation({ figures }: { figures: Figures | undefined }) {
  const balance = figures ? balanceOf(figures) : 'unknown'
  return (
    <Card
      title="What came of everything accepted"
      aside={<Badge tone={tones[balance]}>{balance === 'unknown' ? 'cannot be told now' : balance}</Badge>}
    >
      <div class="sum">
        <Term name="accepted" value={figures?.accepted} />
        {parts.map((name, at) => (
          <Fragment key={name}>
            <span class="sum-sign">{at === 0 ? '=' : '+'}</span>
            <Term name={name.replace('_', ' ')} value={figures?.[name]} />
          </Fragment>
        ))}
      </div>
    </Card>
  )
}

function Term({ name, value }: { name: string; value: number | null | undefined }) {
  // Before the first answer, in the width of a figure: `unknown` seven times would take a line more
  const isWaiting = value === undefined && awaySince.value === undefined
  return (
    <span class={value === 0 ? 'term nothing' : 'term'}>
      <strong>{isWaiting ? '…' : countText(value)}</strong> <span>{name}</span>
    </span>
  )
}
