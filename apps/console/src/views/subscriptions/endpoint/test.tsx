/** A sample is sent, and the answer shown. */
import type { Attempt } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Button } from '../../../components/basics.tsx'
import { Dialog } from '../../../components/dialog.tsx'
import { ProblemBanner } from '../../../components/problem-banner.tsx'
import { call, pathOf } from '../../../http/call.ts'
import { useAction } from '../../../http/use-action.ts'
import { About } from './attempt.tsx'

export function TestButton({ name }: { name: string }) {
  const [isOpen, setOpen] = useState(false)
  const [attempt, setAttempt] = useState<Attempt>()
  const testing = useAction(async () => {
    setAttempt(undefined)
    const { text } = await call(pathOf(['subscriptions', name, 'test']), { method: 'POST' })
    setAttempt(JSON.parse(text))
  })
  const close = () => {
    setOpen(false)
    setAttempt(undefined)
    testing.reset()
  }
  return (
    <>
      <Button onClick={() => setOpen(true)}>Test…</Button>
      <Dialog
        title={`Test ${name}`}
        isOpen={isOpen}
        onClose={close}
        actions={
          <>
            <Button onClick={close}>Close</Button>
            <Button kind="primary" busy={testing.isBusy} onClick={() => testing.run()}>
              Send a sample
            </Button>
          </>
        }
      >
        <p>A sample is sent, signed as all others, also while the subscription is paused or disabled.</p>
        <div role="status">{attempt && <About attempt={attempt} />}</div>
        <ProblemBanner problem={testing.problem} title="It could not be tested" />
      </Dialog>
    </>
  )
}
