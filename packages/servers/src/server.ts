/** A database server of our own: a real process with a directory of its own. Disposing stops it. */
export interface Server extends AsyncDisposable {
  /** With the password in it. */
  readonly url: string
  readonly port: number
  readonly pid: number
  /** Resolves once the process is gone, for whatever reason. */
  readonly exited: Promise<void>
  /** Signals that process and nothing else. */
  kill(signal: NodeJS.Signals): void
  /** A clean stop. What it held is there again after a start in the same directory. Safe twice. */
  stop(): Promise<void>
}
