package stock;

import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollEventLoopGroup;
import io.grpc.netty.shaded.io.netty.channel.epoll.EpollServerDomainSocketChannel;
import io.grpc.netty.shaded.io.netty.channel.unix.DomainSocketAddress;
import io.grpc.stub.StreamObserver;
import java.io.OutputStream;
import tercet.v1.BranchReply;
import tercet.v1.BranchRequest;
import tercet.v1.How;
import tercet.v1.ParticipantGrpc;
import tercet.v1.Verdict;

/** A participant of stock gRPC that agrees to everything, to be measured. */
final class Server extends ParticipantGrpc.ParticipantImplBase {
    @Override
    public void try_(BranchRequest request, StreamObserver<BranchReply> answer) {
        answer.onNext(BranchReply.newBuilder().setVerdict(Verdict.VERDICT_DONE).setHow(How.HOW_RAN).build());
        answer.onCompleted();
    }

    @Override
    public void confirm(BranchRequest request, StreamObserver<BranchReply> answer) {
        try_(request, answer);
    }

    /** {@code --name NAME --listen unix:PATH}. */
    public static void main(String[] arguments) throws Exception {
        String path = arguments[3].substring("unix:".length());
        // A unix socket needs its channel named, and then its threads: as many as there are without that.
        NettyServerBuilder.forAddress(new DomainSocketAddress(path))
                .channelType(EpollServerDomainSocketChannel.class)
                .bossEventLoopGroup(new EpollEventLoopGroup(1))
                .workerEventLoopGroup(new EpollEventLoopGroup())
                .addService(new Server())
                .build().start();
        System.out.println("ready");
        System.in.transferTo(OutputStream.nullOutputStream()); // until whoever has started it closes that
        System.exit(0);
    }
}
