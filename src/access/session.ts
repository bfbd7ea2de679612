// Who asks: one session per connection or HTTP request.

/** The identity and origin behind a call on the broker. Rights and quotas hang on it. */
export interface Session {
  /** `User:<name>`; `User:ANONYMOUS` where no authentication is set up. */
  readonly principal: string
  readonly clientId: string
  /** The peer's address as text, for logs. */
  readonly clientAddress: string
}

/** The session of a caller who has not said who they are. */
export const ANONYMOUS: Session = {
  principal: 'User:ANONYMOUS',
  clientId: '',
  clientAddress: '',
}
