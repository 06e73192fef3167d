/** A seek: first what it would do, and then just that. */
import type { Sought } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Button } from '../../components/basics.tsx'
import { Dialog } from '../../components/dialog.tsx'
import { Field } from '../../components/field.tsx'
import { ProblemBanner } from '../../components/problem-banner.tsx'
import { announce } from '../../components/toast.tsx'
import { call, pathOf } from '../../http/call.ts'
import { useAction } from '../../http/use-action.ts'
import { plural } from '../../text/words.ts'

interface SeekProps {
  readonly name: string
  readonly onMoved: () => void
}

/** What it would do, of the place that it was asked for. */
interface Tried extends Sought {
  readonly from: string
}

export function SeekButton({ name, onMoved }: SeekProps) {
  const [isOpen, setOpen] = useState(false)
  const [from, setFrom] = useState('')
  const [tried, setTried] = useState<Tried>()
  const send = async (isDry: boolean) => {
    const body = { from: from.trim(), dry_run: isDry }
    const { text } = await call(pathOf(['subscriptions', name, 'seek']), { method: 'POST', body })
    return { ...(JSON.parse(text) as Sought), from }
  }
  const trying = useAction(async () => setTried(await send(true)))
  const moving = useAction(async () => {
    await send(false)
    close()
    announce(`${name} goes on from there`)
    onMoved()
  })
  const close = () => {
    setOpen(false)
    setTried(undefined)
    trying.reset()
    moving.reset()
  }
  const isTried = tried?.from === from
  return (
    <>
      <Button onClick={() => setOpen(true)}>Seek…</Button>
      <Dialog
        title={`Seek ${name}`}
        isOpen={isOpen}
        onClose={close}
        actions={
          <>
            <Button onClick={close}>Leave it</Button>
            <Button busy={trying.isBusy} disabled={from.trim() === ''} onClick={() => trying.run()}>
              Try it
            </Button>
            {isTried && (
              <Button kind="danger" busy={moving.isBusy} onClick={() => moving.run()}>
                Seek
              </Button>
            )}
          </>
        }
      >
        <p>
          What is before the place counts as settled. What is behind it is handed out, also what was settled
          before.
        </p>
        <Field
          label="From"
          value={from}
          onValue={setFrom}
          onEnter={() => from.trim() !== '' && trying.run()}
          hint="start, now, a time such as 2026-03-01T10:00:00Z, of one topic a seq, or topic:seq pairs joined by commas."
          mono
          required
          autoFocus
        />
        {isTried && <TriedWords tried={tried} />}
        <ProblemBanner problem={trying.problem} title="It cannot be moved there" />
        <ProblemBanner problem={moving.problem} title="It may not have moved" />
      </Dialog>
    </>
  )
}

function TriedWords({ tried: { again, skipped, lost } }: { tried: Sought }) {
  return (
    <div role="status">
      <p class="large">{plural(again, 'event')} would be handed out again</p>
      <ul class="faint">
        <li>{plural(skipped, 'event')} not settled would not be handed out at all</li>
        <li>{plural(lost, 'event')} with workers, or waiting for a retry, would lose their tokens</li>
      </ul>
    </div>
  )
}
