import pg from 'pg'

/**
 * A connection of a pool that ends when it cannot be made. pg leaves one open of which it has found out by itself that it leads
 * nowhere, as without a password: it would count as one of PostgreSQL's, and keep our process up, until PostgreSQL gives up
 * waiting (authentication_timeout: a minute).
 */
export class PoolClient extends pg.Client {
  override connect(): Promise<pg.Client>
  override connect(callback: ((err: Error) => void) | ((err: null, client: pg.Client) => void)): void
  override connect(
    callback?: (err: Error & null, client: pg.Client) => void,
  ): Promise<pg.Client> | undefined {
    if (callback === undefined) return super.connect()
    super.connect((error: (Error & null) | null, client?: pg.Client) => {
      if (error) this.connection.stream.destroy()
      callback(error as Error & null, client as pg.Client)
    })
    return undefined
  }
}
