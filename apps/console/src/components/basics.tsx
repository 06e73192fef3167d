import type { ButtonHTMLAttributes, ComponentChildren } from 'preact'
import { visible } from '../text/visible.ts'

export type Tone = 'ok' | 'warning' | 'problem' | 'unknown' | 'accent'

type ButtonProps = Omit<ButtonHTMLAttributes<HTMLButtonElement>, 'icon'> & {
  readonly kind?: 'plain' | 'primary' | 'danger' | 'quiet'
  /** While something is under way nobody can start it twice. A button that were disabled meanwhile would lose the focus. */
  readonly busy?: boolean
}

export function Button({ kind = 'plain', busy = false, disabled, children, ...rest }: ButtonProps) {
  return (
    <button
      type="button"
      {...rest}
      class={`button ${kind} ${rest.class ?? ''}`}
      disabled={disabled}
      aria-disabled={busy || undefined}
      aria-busy={busy}
      // A submit button submits with its click
      onClick={busy ? (event) => event.preventDefault() : rest.onClick}
    >
      {children}
    </button>
  )
}

/** A word with a colour; the word alone has to say it. */
export function Badge({ tone = 'unknown', children }: { tone?: Tone; children: ComponentChildren }) {
  return <span class={`badge tone-${tone}`}>{children}</span>
}

/** Something that everybody should see now. `alert` is read out at once. */
export function Banner(props: { tone: Tone; title: string; children?: ComponentChildren; alert?: boolean }) {
  return (
    <div class={`banner tone-${props.tone}`} role={props.alert ? 'alert' : undefined}>
      <strong>{props.title}</strong>
      {props.children && <div class="banner-words">{props.children}</div>}
    </div>
  )
}

/** In the place of a list that has nothing in it: why, and what to do. */
export function Empty({ title, children }: { title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <p class="empty-title">{title}</p>
      {children && <div class="empty-words">{children}</div>}
    </div>
  )
}

interface CardProps {
  readonly title: string
  /** To the right of the title. */
  readonly aside?: ComponentChildren
  readonly children: ComponentChildren
  readonly class?: string
}

export function Card({ title, aside, children, class: more = '' }: CardProps) {
  return (
    <section class={`card ${more}`} aria-label={title}>
      <header class="card-head">
        <h2>{title}</h2>
        {aside && <div class="card-aside">{aside}</div>}
      </header>
      {children}
    </section>
  )
}

/** The name of a view, and what can be done there. */
export function PageHead(props: {
  title: ComponentChildren
  lead?: string | undefined
  children?: ComponentChildren
}) {
  return (
    <div class="page-head">
      <div>
        <h1>{typeof props.title === 'string' ? visible(props.title) : props.title}</h1>
        {props.lead && <p class="lead">{props.lead}</p>}
      </div>
      {props.children && <div class="page-actions">{props.children}</div>}
    </div>
  )
}
