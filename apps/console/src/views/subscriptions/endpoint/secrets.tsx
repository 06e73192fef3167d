/** What requests are signed with: listed without their texts, and made anew. */
import type { RotatedSecret, SecretInfo } from '@sekali/client/operate'
import { useState } from 'preact/hooks'
import { Button, Card } from '../../../components/basics.tsx'
import { Confirm } from '../../../components/confirm.tsx'
import { CopyButton } from '../../../components/copy-button.tsx'
import { Dialog } from '../../../components/dialog.tsx'
import { Name } from '../../../components/name.tsx'
import { type Column, Table } from '../../../components/table.tsx'
import { Time } from '../../../components/time.tsx'
import { announce } from '../../../components/toast.tsx'
import { call, pathOf } from '../../../http/call.ts'
import { useAction } from '../../../http/use-action.ts'
import { may } from '../../../session/session.ts'

interface RotateProps {
  readonly name: string
  readonly onRotated: (secret: string) => void
}

export function RotateButton({ name, onRotated }: RotateProps) {
  const [isOpen, setOpen] = useState(false)
  const action = useAction(async () => {
    const { text } = await call(pathOf(['subscriptions', name, 'secrets']), { method: 'POST' })
    setOpen(false)
    onRotated((JSON.parse(text) as RotatedSecret).secret)
  })
  return (
    <>
      <Button onClick={() => setOpen(true)}>Rotate secret…</Button>
      <Confirm
        title={`Rotate the secret of ${name}`}
        isOpen={isOpen}
        onClose={() => setOpen(false)}
        words="Make a secret"
        kind="primary"
        action={action}
      >
        <p>Requests are signed with the new one and, for 24 hours, with those of before as well.</p>
      </Confirm>
    </>
  )
}

interface ShownSecretProps {
  readonly name: string
  readonly secret: string | undefined
  readonly onClose: () => void
}

/** The page forgets it when the dialog is closed. */
export function ShownSecret({ name, secret, onClose }: ShownSecretProps) {
  return (
    <Dialog
      title={`The new secret of ${name}`}
      isOpen={secret !== undefined}
      onClose={onClose}
      actions={
        <Button kind="primary" onClick={onClose}>
          I have it
        </Button>
      }
    >
      <p>Copy it now: nobody can show it again.</p>
      {secret && (
        <p class="command">
          <code class="key-text">{secret}</code>
          <CopyButton text={secret} of="the secret" />
        </p>
      )}
    </Dialog>
  )
}

interface SecretsProps {
  readonly name: string
  readonly secrets: readonly SecretInfo[]
  readonly onChanged: () => void
}

export function Secrets({ name, secrets, onChanged }: SecretsProps) {
  const [ending, setEnding] = useState<SecretInfo>()
  const action = useAction(async () => {
    await call(pathOf(['subscriptions', name, 'secrets', String(ending?.id)]), { method: 'DELETE' })
    announce('The secret is deleted')
    setEnding(undefined)
    onChanged()
  })
  return (
    <Card title="Secrets">
      <Table
        caption="Secrets"
        columns={columnsWith(secrets.length > 1 && may('admin') ? setEnding : undefined)}
        rows={secrets}
        keyOf={({ id }) => String(id)}
      />
      <Confirm
        title={`Delete secret ${ending?.id ?? ''}`}
        isOpen={ending !== undefined}
        onClose={() => {
          setEnding(undefined)
          action.reset()
        }}
        words="Delete"
        action={action}
      >
        <p>Whoever verifies with it alone refuses all requests from now on. It cannot be undone.</p>
      </Confirm>
    </Card>
  )
}

const columnsWith = (onEnd: ((secret: SecretInfo) => void) | undefined): readonly Column<SecretInfo>[] => [
  { id: 'secret', label: 'Secret', cell: ({ id }) => id },
  { id: 'made', label: 'Made', cell: ({ created_at: at }) => <Time at={at} /> },
  { id: 'by', label: 'By', wide: true, cell: ({ created_by: by }) => <Name of={by} /> },
  { id: 'ends', label: 'Ends', cell: ({ expires_at: at }) => (at === null ? 'not yet' : <Time at={at} />) },
  ...(onEnd === undefined
    ? []
    : [
        {
          id: 'end',
          label: '',
          align: 'end' as const,
          cell: (secret: SecretInfo) => (
            <Button kind="quiet" aria-label={`Delete secret ${secret.id}`} onClick={() => onEnd(secret)}>
              Delete…
            </Button>
          ),
        },
      ]),
]
