/** What else can be done about one letter. */

import type { Letter } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Confirm } from '../../components/confirm.tsx'
import { Field } from '../../components/field.tsx'
import { announce } from '../../components/toast.tsx'
import { call, pathOf } from '../../http/call.ts'
import { useAction } from '../../http/use-action.ts'
import { visible } from '../../text/visible.ts'

interface SettleProps {
  readonly letter: Letter
  readonly isOpen: boolean
  readonly onClose: () => void
  readonly onSettled: () => void
}

const post = (letter: Letter, what: string, body: object) =>
  call(pathOf(['dead-letters', letter.id, what]), { method: 'POST', body })

export function DiscardDialog({ letter, isOpen, onClose, onSettled }: SettleProps) {
  const [reason, setReason] = useState('')
  const action = useAction(async () => {
    await post(letter, 'discard', { reason })
    announce(`${letter.id} is discarded`)
    onClose()
    onSettled()
  })
  return (
    <Confirm
      title={`Discard ${letter.id}`}
      isOpen={isOpen}
      onClose={onClose}
      words="Discard"
      action={action}
      disabled={reason.trim() === ''}
    >
      <p>It is not open any more, for good. It stays in the figures and can still be shown.</p>
      <Field
        label="Why"
        value={reason}
        onValue={setReason}
        onEnter={() => reason.trim() !== '' && action.run()}
        hint="For people, who read it in the audit log."
        required
        autoFocus
      />
    </Confirm>
  )
}

export function PublishAsDialog({ letter, isOpen, onClose, onSettled }: SettleProps) {
  const [eventId, setEventId] = useState('')
  const action = useAction(async () => {
    await post(letter, 'publish-as', { event_id: eventId })
    announce(`${letter.id} is published as ${eventId}`)
    onClose()
    onSettled()
  })
  return (
    <Confirm
      title={`Publish ${letter.id} as another event`}
      isOpen={isOpen}
      onClose={onClose}
      words="Publish"
      kind="primary"
      action={action}
      disabled={eventId === ''}
    >
      <p>
        Timestamp, source and payload are those that came. If no answer comes, press again with the same id:
        it is stored once.
      </p>
      <Field
        label="New event id"
        value={eventId}
        onValue={setEventId}
        onEnter={() => eventId !== '' && action.run()}
        placeholder={letter.event_id === null ? '' : `${visible(letter.event_id)}b`}
        hint={`One that no event of ${letter.topic} has.`}
        mono
        required
        autoFocus
      />
    </Confirm>
  )
}
