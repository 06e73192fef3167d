import type {
  ComponentChildren,
  InputHTMLAttributes,
  RefObject,
  TargetedInputEvent,
  TargetedKeyboardEvent,
} from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

interface FieldProps {
  readonly label: string
  readonly value: string
  readonly onValue: (value: string) => void
  /** What is wrong with it; it is read out with the field. */
  readonly error?: string | undefined
  readonly hint?: ComponentChildren
  readonly placeholder?: string
  readonly type?: 'text' | 'search' | 'password' | 'number' | 'datetime-local'
  /** Of a text area. */
  readonly rows?: number
  readonly mono?: boolean
  readonly required?: boolean
  readonly autoFocus?: boolean
  readonly list?: string
  readonly onEnter?: () => void
  readonly class?: string
}

/** A labelled input, or text area if it has `rows`. */
export function Field(props: FieldProps) {
  const id = useId()
  const { label, value, onValue, error, hint, rows, mono, onEnter, class: more = '' } = props
  const element = useRef<HTMLInputElement | HTMLTextAreaElement>(null)
  // The browser minds `autofocus` only while a page loads, and when a dialog opens
  useEffect(() => {
    if (props.autoFocus) element.current?.focus()
  }, [])
  useEffect(() => {
    const form = element.current?.closest('form, dialog, main')
    if (error && form?.querySelector('[aria-invalid="true"]') === element.current) element.current?.focus()
  }, [error])
  const described = [error && `${id}-error`, hint && `${id}-hint`].filter(Boolean).join(' ')
  const shared = {
    id,
    value,
    required: props.required ?? false,
    autofocus: props.autoFocus ?? false,
    placeholder: props.placeholder,
    spellcheck: false,
    autocomplete: 'off',
    autocapitalize: 'off',
    class: mono ? 'mono' : undefined,
    'aria-invalid': error !== undefined,
    'aria-describedby': described || undefined,
  } as const
  const onInput = (event: TargetedInputEvent<HTMLInputElement | HTMLTextAreaElement>) =>
    onValue(event.currentTarget.value)
  const onKeyDown = (event: TargetedKeyboardEvent<HTMLInputElement>) => {
    if (event.key === 'Enter') onEnter?.()
  }
  // Preact's types have one form of input for each type.
  const input = { ...shared, ref: element, type: props.type ?? 'text', list: props.list, onInput, onKeyDown }
  return (
    <div class={`field ${more}`}>
      <label for={id}>{label}</label>
      {rows === undefined ? (
        <input {...(input as InputHTMLAttributes<HTMLInputElement>)} />
      ) : (
        <textarea {...shared} ref={element as RefObject<HTMLTextAreaElement>} rows={rows} onInput={onInput} />
      )}
      {error && (
        <p class="field-error" id={`${id}-error`}>
          {error}
        </p>
      )}
      {hint && (
        <p class="field-hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
    </div>
  )
}

interface ChoiceProps {
  readonly label: string
  readonly value: string
  readonly onValue: (value: string) => void
  /** Each value with its words. */
  readonly choices: readonly (readonly [value: string, words: string])[]
  readonly class?: string
}

export function Choice({ label, value, onValue, choices, class: more = '' }: ChoiceProps) {
  const id = useId()
  return (
    <div class={`field ${more}`}>
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => onValue(event.currentTarget.value)}>
        {choices.map(([choice, words]) => (
          <option key={choice} value={choice}>
            {words}
          </option>
        ))}
      </select>
    </div>
  )
}
