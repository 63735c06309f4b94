// SPDX-License-Identifier: MPL-2.0

/** What extension/experiments/tokenBridge/schema.json gives the add-on. */
declare namespace messenger.tokenBridge {
  interface TokenRequest {
    account: string;
    resource: "mail" | "graph";
    ownToken: boolean;
    deadline: number;
    rejected?: string;
  }

  interface TokenAnswer {
    accessToken?: string;
    expiresAt?: number;
    pass?: boolean;
    failure?: string;
  }

  interface Server {
    account: string;
    type: string;
    hostname: string;
    port: number;
    socketType: "tls" | "starttls" | "plain";
    authMethod: "oauth2" | "password" | "other";
    ownLogin: boolean;
    offlineCopy?: boolean;
  }

  interface SignInProvider {
    issuer: string;
    authority: string;
    tenant: string;
    clientId: string;
    redirectHost: string;
    resource: string;
    hosts: string[];
  }

  interface Managed {
    rule: "listed" | "domains" | "all";
    names: string[];
    domains: string[];
    fallback: "thunderbird" | "none";
    providers: SignInProvider[];
  }

  const onTokenRequest: { addListener(listener: (request: TokenRequest) => Promise<TokenAnswer>): void };

  function getStatus(): Promise<{ installed: boolean; obstacle: string | null; fallback: "thunderbird" | "none" | null }>;
  function setManaged(settings: Managed): Promise<void>;
  function listServers(): Promise<Server[]>;
  function checkMail(account: string): Promise<void>;
  function disconnect(account: string): Promise<void>;
  function proxyFor(address: string): Promise<string | null>;
}
