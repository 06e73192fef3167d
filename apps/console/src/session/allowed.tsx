import type { Scope } from '@sekali/core/access'
import type { ComponentChildren } from 'preact'
import { may, session } from './session.ts'

interface AllowedProps {
  readonly scope: Scope
  /** What needs it: `Redriving`. */
  readonly what: string
  readonly children: ComponentChildren
}

/** Shows its children to those who may use them, and to others why they do not see them. */
export function Allowed({ scope, what, children }: AllowedProps) {
  if (session.value === undefined) return null
  if (may(scope)) return <>{children}</>
  return (
    <p class="not-allowed">
      {what} needs a key with the scope <code>{scope}</code>.
    </p>
  )
}
