// SPDX-License-Identifier: MPL-2.0

/** Globals of Thunderbird's parent process, as far as the scripts of the Experiment use them. */

declare const Cc: any;
declare const Ci: any;
declare const Services: any;
declare const ChromeUtils: { importESModule(address: string): any };
declare const ExtensionCommon: { EventManager: new (event: { context: any; name: string; register(fire: { async(details: object): Promise<any> }, ...rest: any[]): () => void }) => { api(): any } };

declare class ExtensionAPI {
  extension: any;
}

/** As the Experiment's schema describes it. */
interface SignInProvider {
  issuer: string;
  authority: string;
  tenant: string;
  clientId: string;
  redirectHost: "localhost" | "127.0.0.1";
  resource: string;
  hosts: string[];
}
