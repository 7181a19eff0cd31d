#!/usr/bin/perl
# An SMPP carrier on Perl's Net::SMPP, a codec that stentor's authors did not write.
#
# Listens on a free port of 127.0.0.1 and prints "listening PORT". Prints every submit_sm as
# "submit SOURCE DESTINATION ESM_CLASS DATA_CODING HEX", answers it, and sends its receipt; prints
# "receipt STATUS" for each answer to one. Of numbers that end in 9 it sends no receipt: it waits to be
# asked, prints "query ID SOURCE" and says that the message is delivered. Serves one connection after the other until it is killed.
use strict;
use warnings;
use Net::SMPP;

$| = 1;
my $listener = Net::SMPP->new_listen('127.0.0.1', port => 0, smpp_version => 0x34,
                                     interface_version => 0x34, timeout => 60)
    or die "cannot listen: $!";
print "listening ", $listener->sockport, "\n";

my $next_id = 0xabc001;
while (1) {
    my $link = $listener->accept or next;
    $link->set_version(0x34);
    while (my $pdu = $link->read_pdu) {
        my $command = $pdu->{cmd};
        if ($command == 0x00000009) {
            print "bind $pdu->{system_id} $pdu->{password} $pdu->{interface_version}\n";
            $link->bind_transceiver_resp(system_id => 'perl', seq => $pdu->{seq});
        } elsif ($command == 0x00000004) {
            my $id = sprintf '%x', $next_id++;
            print join(' ', 'submit', $pdu->{source_addr}, $pdu->{destination_addr},
                       $pdu->{esm_class}, $pdu->{data_coding},
                       unpack('H*', $pdu->{short_message})), "\n";
            $link->submit_sm_resp(message_id => $id, seq => $pdu->{seq});
            next if $pdu->{destination_addr} =~ /9$/;
            $link->deliver_sm(
                async => 1,
                source_addr_ton => $pdu->{dest_addr_ton},
                source_addr_npi => $pdu->{dest_addr_npi},
                source_addr => $pdu->{destination_addr},
                dest_addr_ton => $pdu->{source_addr_ton},
                dest_addr_npi => $pdu->{source_addr_npi},
                destination_addr => $pdu->{source_addr},
                esm_class => 0x04,
                short_message => "id:$id sub:001 dlvrd:001 submit date:2601010000 "
                    . "done date:2601010000 stat:DELIVRD err:000 text:",
                receipted_message_id => "$id\0",
                message_state => "\x02",
            );
        } elsif ($command == 0x00000003) {
            print "query $pdu->{message_id} $pdu->{source_addr}\n";
            $link->query_sm_resp(seq => $pdu->{seq}, message_id => $pdu->{message_id},
                                 final_date => '', message_state => 2, error_code => 0);
        } elsif ($command == 0x80000005) {
            print "receipt $pdu->{status}\n";
        } elsif ($command == 0x00000015) {
            $link->enquire_link_resp(seq => $pdu->{seq});
        } elsif ($command == 0x00000006) {
            $link->unbind_resp(seq => $pdu->{seq});
            print "unbind\n";
            last;
        } else {
            printf "unexpected %08x\n", $command;
        }
    }
    close $link;
}
