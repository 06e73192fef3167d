import type { Operation } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Badge, Button, Card, PageHead } from '../../components/basics.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { Details } from '../../components/facts.tsx'
import { Name } from '../../components/name.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { Progress } from '../../components/progress.tsx'
import { Time } from '../../components/time.tsx'
import { announce } from '../../components/toast.tsx'
import { call, getJson, pathOf } from '../../http/call.ts'
import { usePolled } from '../../http/poll.ts'
import { useAction } from '../../http/use-action.ts'
import { linkTo } from '../../routing/url.ts'
import { countText, durationText, plural } from '../../text/words.ts'
import { FilterWords } from '../letters/redrive.tsx'
import type { View, ViewProps } from '../view.ts'
import { outcomeWords, runningMs, tones } from './operation.ts'

export const operationView: View = {
  path: 'operations/:id',
  shapes: { id: /^\d+$/ },
  title: ({ id }) => `Operation ${id}`,
  component: ShownOperation,
  scope: 'admin',
}

function ShownOperation({ params: { id = '' } }: ViewProps) {
  const [isOver, setOver] = useState(false)
  const path = pathOf(['operations', id])
  const { data, problem, refresh } = usePolled(path, (signal) => getJson<Operation>(path, signal), {
    everyMs: isOver ? null : runningMs,
  })
  if (data && (data.state !== 'running') !== isOver) setOver(!isOver)
  return (
    <>
      <PageHead title={`${data?.kind === 'redrive' ? 'Redrive' : 'Operation'} ${id}`}>
        {data?.state === 'running' && <Cancel id={id} onCancelled={refresh} />}
      </PageHead>
      <ProblemBanner problem={problem} title="The operation could not be read" />
      {data && (
        <div class="stack">
          <Card title="How far it is" aside={<Badge tone={tones[data.state]}>{data.state}</Badge>}>
            <HowFar operation={data} />
          </Card>
          <Card title="What it is about" class="wide-details">
            <FilterWords filter={data.filter} />
            <Details
              rows={[
                ['Letters up to', <a href={linkTo(['dead-letters', data.as_of])}>{data.as_of}</a>],
                ['At most', `${plural(data.rate, 'event')} a second`],
                ['Begun', <Time at={data.created_at} />],
                ['By', <Name of={data.created_by} />],
                data.finished_at !== null && ['Ended', <Time at={data.finished_at} />],
                data.finished_at !== null && [
                  'Took',
                  durationText(Date.parse(data.finished_at) - Date.parse(data.created_at)),
                ],
              ]}
            />
          </Card>
        </div>
      )}
    </>
  )
}

function HowFar({ operation }: { operation: Operation }) {
  const { done, matched, outcomes, state, rate, error } = operation
  const leftMs = ((matched - done) / rate) * 1_000
  return (
    <>
      <Progress done={done} of={matched} label="Letters that it has come past" />
      {/* Only changes of its state are read out: the numbers change each second. */}
      <p role="status">
        {state === 'running' ? 'It is running.' : state === 'done' ? 'It is done.' : `It is ${state}.`}
        {state === 'running' && done < matched && (
          <span aria-hidden="true"> About {durationText(leftMs)} more, if nothing makes it wait.</span>
        )}
      </p>
      {error !== undefined && <p class="field-error">{error}</p>}
      <ul class="outcomes">
        {Object.entries(outcomes).map(([outcome, count]) => (
          <li key={outcome}>
            <strong>{countText(count)}</strong> {outcomeWords(outcome)}
          </li>
        ))}
      </ul>
      {state === 'done' && (outcomes.redriven ?? 0) > 0 && (
        <p class="faint">
          What became of them, the figures of their topics say. One that fails again is a new dead letter.
        </p>
      )}
    </>
  )
}

function Cancel({ id, onCancelled }: { id: string; onCancelled: () => void }) {
  const [isOpen, setOpen] = useState(false)
  const action = useAction(async () => {
    await call(pathOf(['operations', id, 'cancel']), { method: 'POST' })
    announce(`Operation ${id} is cancelled`)
    setOpen(false)
    onCancelled()
  })
  return (
    <>
      <Button kind="danger" onClick={() => setOpen(true)}>
        Cancel…
      </Button>
      <Confirm
        title={`Cancel operation ${id}`}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        words="Cancel the operation"
        action={action}
      >
        <p>It ends where it is. What is done stays done; the other letters stay open.</p>
      </Confirm>
    </>
  )
}
