/** A redrive: counted first, and then of exactly what was counted. */
import type { RedriveCount, RedriveFilter } from '@sekali/client/operate'
import { useEffect, useState } from 'preact/hooks'
import { Banner, Button } from '../../components/basics.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Field } from '../../components/field.tsx'
import { Name } from '../../components/name.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { announce } from '../../components/toast.tsx'
import { call } from '../../http/call.ts'
import type { Problem } from '../../http/problem.ts'
import { useAction } from '../../http/use-action.ts'
import { goTo } from '../../routing/route.ts'
import { linkTo } from '../../routing/url.ts'
import { countText, plural } from '../../text/words.ts'
import { reasonWords } from './letter.ts'

const send = (body: object) => call('dead-letters/redrive', { method: 'POST', body })

interface RedriveProps {
  readonly filter: RedriveFilter
  readonly isOpen: boolean
  readonly onClose: () => void
}

export function RedriveDialog({ filter, isOpen, onClose }: RedriveProps) {
  const [counted, setCounted] = useState<RedriveCount>()
  const [rate, setRate] = useState('50')
  const isOfDeliveries = filter.subscription !== undefined
  const counting = useAction(async () => {
    setCounted(undefined)
    setCounted(JSON.parse((await send({ filter, dry_run: true })).text))
  })
  const beginning = useAction(async () => {
    if (counted === undefined) return
    const { as_of, matched } = counted
    const speed = isOfDeliveries ? {} : { rate: Number(rate) }
    const { text } = await send({ filter, as_of, expect: matched, ...speed })
    const { id } = JSON.parse(text) as { id?: number }
    close()
    if (id === undefined) return announce(`${plural(matched, 'dead letter')} handed out again`)
    announce(`The redrive of ${plural(matched, 'dead letter')} has begun`)
    goTo(linkTo(['operations', String(id)]))
  })
  // What was counted is of this opening: the next one counts anew
  const close = () => {
    setCounted(undefined)
    counting.reset()
    beginning.reset()
    onClose()
  }
  // Counted once, when it is opened
  useEffect(() => {
    if (isOpen) counting.run()
  }, [isOpen])
  const canBegin = counted !== undefined && counted.matched > 0
  return (
    <Dialog
      title="Redrive dead letters"
      isOpen={isOpen}
      onClose={close}
      actions={
        <>
          <Button onClick={close}>Leave them</Button>
          <Button busy={counting.isBusy} onClick={() => counting.run()}>
            Count again
          </Button>
          {canBegin && (
            <Button kind="primary" busy={beginning.isBusy} onClick={() => beginning.run()}>
              Redrive {countText(counted.matched)}
            </Button>
          )}
        </>
      }
    >
      <p>
        {isOfDeliveries
          ? 'Workers get them again, as if for the first time.'
          : 'Appends them once more, each under its own id, so none is stored twice.'}{' '}
        Mend the cause first. What becomes a dead letter after the count is not in it.
      </p>
      <FilterWords filter={filter} />
      {counted && <CountedWords counted={counted} />}
      {canBegin && !isOfDeliveries && (
        <Field
          label="Events a second"
          type="number"
          value={rate}
          onValue={setRate}
          hint="1 to 10,000. A topic that is full makes it wait."
        />
      )}
      <ProblemBanner problem={counting.problem} title="They could not be counted" />
      <BeginProblem problem={beginning.problem} />
    </Dialog>
  )
}

/** What a redrive is about, in words. */
export function FilterWords({ filter }: { filter: RedriveFilter }) {
  const words = (['id', 'subscription', 'topic', 'reason', 'from', 'to'] as const).flatMap((name) =>
    filter[name] ? [[name, filter[name]] as const] : [],
  )
  if (words.length === 0) return <p class="faint">All that are open, of all topics.</p>
  return (
    <p class="filter-words">
      {words.map(([name, value]) => (
        <span key={name}>
          {filterNames[name]} <Name of={value} />
        </span>
      ))}
    </p>
  )
}

const filterNames = {
  id: 'letter',
  subscription: 'subscription',
  topic: 'topic',
  reason: 'reason',
  from: 'received from',
  to: 'received before',
}

function CountedWords({ counted: { matched, by_reason } }: { counted: RedriveCount }) {
  if (matched === 0) {
    return (
      <Banner tone="unknown" title="No dead letter matches">
        Conflicts, and letters of which nothing is kept, cannot be redriven.
      </Banner>
    )
  }
  return (
    <div role="status">
      <p class="large">{plural(matched, 'dead letter')} would be redriven</p>
      <ul class="faint">
        {Object.entries(by_reason).map(([reason, count]) => (
          <li key={reason}>
            {countText(count)} with <code>{reason}</code>, {reasonWords(reason)}
          </li>
        ))}
      </ul>
    </div>
  )
}

/** Without an answer nobody knows whether it has begun, so nobody should just press again. */
function BeginProblem({ problem }: { problem: Problem | undefined }) {
  if (problem?.status !== 0) return <ProblemBanner problem={problem} title="Nothing is redriven" />
  return (
    <Banner tone="warning" title="It may have begun: no answer came" alert>
      Look at <a href="#/operations">the operations</a> before you begin it again. {problem.message}
    </Banner>
  )
}
