import type { Subscription } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Button } from '../../components/basics.tsx'
import { Confirm } from '../../components/confirm.tsx'
import { announce } from '../../components/toast.tsx'
import { call, pathOf } from '../../http/call.ts'
import { useAction } from '../../http/use-action.ts'

interface PauseProps {
  readonly subscription: Subscription
  readonly onChanged: () => void
}

/** Pauses it, or has it go on. */
export function PauseButton({ subscription: { kind, name, state }, onChanged }: PauseProps) {
  const [isOpen, setOpen] = useState(false)
  const isPaused = state === 'paused' || state === 'disabled'
  const words = isPaused ? 'Resume' : 'Pause'
  const action = useAction(async () => {
    await call(pathOf(['subscriptions', name, words.toLowerCase()]), { method: 'POST' })
    announce(`${name} is ${isPaused ? 'active again' : 'paused'}`)
    setOpen(false)
    onChanged()
  })
  return (
    <>
      <Button kind={isPaused ? 'primary' : 'plain'} onClick={() => setOpen(true)}>
        {words}…
      </Button>
      <Confirm
        title={`${words} ${name}`}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        words={words}
        kind="primary"
        action={action}
      >
        <p>{isPaused ? resumes[kind] : pauses[kind]}</p>
      </Confirm>
    </>
  )
}

const resumes = {
  pull: 'Workers get events again, from where they stopped.',
  push: 'Events are sent again, from where they stopped: one at a time at first, then more and more.',
} as const

const pauses = {
  pull: 'Workers get no more events, and can settle those that they have. Nothing is lost: what comes waits.',
  push: 'Nothing more is sent; requests that are under way end. Nothing is lost: what comes waits.',
} as const
